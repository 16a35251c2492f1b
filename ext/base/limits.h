/*
** Every bound of rtk in one place, with its unit and its reason.  What a user
** can change is a setting (config.c); what stands here is fixed.
*/
#ifndef RTK_LIMITS_H
#define RTK_LIMITS_H

/* A limit as a part of a text. */
#define RTK_TEXT_OF(limit) RTK_TEXT_OF_WORD(limit)
#define RTK_TEXT_OF_WORD(word) #word

/* A server that closes a connection after its last request refuses those under
** way (nginx: after 1,000).  Then half as many requests go out at a time, but
** at least RTK_WIDTH_MIN.  After each RTK_WIDEN_REPLIES replies it is one more
** again. */
#define RTK_WIDTH_MIN 8
#define RTK_WIDEN_REPLIES 8

/* The largest quota and rate that can be set: far more than any server gives,
** and small enough that sums stay far from overflow. */
#define RTK_QUOTA_MAX 1000000

/* ms: how long the first request for an account and app goes alone. When its
** reply tells that they are refused, no second one was made in vain; and one
** slow reply must not hold up all others. */
#define RTK_PROBE_MS 500

/* Bytes of the name of a table and two numbers. */
#define RTK_SHORT_LIST_MAX 128

/* Latencies that the percentiles of rtk_stats are taken from. */
#define RTK_LATENCIES 1024

/* ms between two looks at whether the host wants to stop.  Cancelling is
** promised within 100 ms. */
#define RTK_CANCEL_CHECK_MS 20

/* ms: while rows are read from what has arrived, transfers are driven at
** least this often, so that the connection stays busy. */
#define RTK_DRIVE_EVERY_MS 2

/* ms: the longest announced wait that is believed, one day; also keeps sums
** of times far from overflow. */
#define RTK_WAIT_MAX_MS 86400000

/* Pages of a list that are requested before the reader has come to them, and of
** a list that other lists come before: its total_count has not been proven yet.
** How often all pages are requested again because the list has changed.  Pages
** in a row without a new row that end a list.  The most pages of one list: a
** million rows, 50 minutes of the default quota; a server that ignores page_no,
** or never ends, must not use up more. */
#define RTK_PAGES_AHEAD 64
#define RTK_PAGES_AHEAD_OF_OTHERS 4
#define RTK_PAGES_ROUNDS_MAX 2
#define RTK_PAGES_BARREN_MAX 2
#define RTK_PAGES_MAX 10000

/* After n ids, or pages of a list, have been read, at most this many times n
** have been requested: a LIMIT wastes at most three requests for each. */
#define RTK_AHEAD_GROWTH 4

#endif
