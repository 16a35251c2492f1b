/*
** Every bound of rtk in one place, with its unit and its reason.  What a user
** can change is a setting (config.c); what stands here is fixed.
*/
#ifndef RTK_LIMITS_H
#define RTK_LIMITS_H

/* A limit as a part of a text. */
#define RTK_TEXT_OF(limit) RTK_TEXT_OF_WORD(limit)
#define RTK_TEXT_OF_WORD(word) #word

/* Bytes.  A longer id fits no server's request line: it is not asked for. */
#define RTK_ID_MAX 1024

/* Bytes of account and app, which are ASCII.  The reference says 32 for both, yet real
** app ids are UUIDs with dashes (36). */
#define RTK_ACCOUNT_MAX 32
#define RTK_APP_MAX 64

/* Bytes of an id, and of the server's own words, shown in a message. */
#define RTK_SHOW_ID_MAX 64
#define RTK_SHOW_TEXT_MAX 300

/* Bytes of the beginning of a token that are too much to be shown at the end of a
** text that may have been cut: behind anything but a space, and as a word. */
#define RTK_SHOW_TOKEN_PART_MIN 4
#define RTK_SHOW_TOKEN_WORD_MIN 8

/* Bytes kept of any reply header that rtk reads, and of one that is a list: four
** quotas of some 100 bytes each. */
#define RTK_HEADER_MAX 128
#define RTK_HEADER_LIST_MAX 512

/* Bytes of an IP address as text: IPv6 with a zone. */
#define RTK_ADDRESS_MAX 64

/* Requests under way over HTTP/2: the streams that every server should allow on
** one connection (RFC 9113, 6.5.2).  What is more would wait inside libcurl
** while its time-out runs, or open a second connection. */
#define RTK_STREAMS_MAX 100

/* A server that closes a connection after its last request refuses those under way
** (nginx: after 1,000).  Then half as many requests go out at a time, but at least
** RTK_WIDTH_MIN.  After each RTK_WIDEN_REPLIES replies it is one more again. */
#define RTK_WIDTH_MIN 8
#define RTK_WIDEN_REPLIES 8

/* Connections to one host, over HTTP/1.1 and over HTTP/2. */
#define RTK_CONNECTIONS_MAX 16
#define RTK_HTTP2_CONNECTIONS_MAX 2

/* ms: how long a poll waits for the connections in use while others, retired, have
** transfers left; and what one poll may count for beside its wait, when the
** process was stopped in it. */
#define RTK_RETIRED_POLL_MS 5
#define RTK_POLL_MAX_MS 1000

/* Seconds since 1970: the end of the year 9999, the latest date believed. */
#define RTK_DATE_MAX_S 253402300799

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

/* ms: a session that stopped longer ago has its final figures. Those of one
** that stopped within this time still settle: a published example was updated
** a minute after it stopped. */
#define RTK_SETTLED_AFTER_MS 3600000

/* ms since 1970: 1971. A time before is none: a zero time as some servers write it
** (0001-01-01, 1970-01-01). */
#define RTK_TIME_MIN_MS 31536000000

/* ms: how long such a reply, and one that says "not found", is kept. */
#define RTK_SETTLING_KEPT_MS 60000

/* ms between two looks at whether the host wants to stop.  Cancelling is
** promised within 100 ms. */
#define RTK_CANCEL_CHECK_MS 20

/* ms between two rounds of the statement that lets a host's progress handler
** run, promised to be heard within 300 ms; and the length of that statement
** in steps of a recursive query, about 5,000 opcodes. */
#define RTK_PROGRESS_CHECK_MS 200
#define RTK_PROGRESS_STEPS 400

/* ms: while rows are read from what has arrived, transfers are driven at
** least this often, so that the connection stays busy. */
#define RTK_DRIVE_EVERY_MS 2

/* ms: waits before a retry when the server names none, as the official SDKs
** have them: 500, 1000, 2000 … 8000, less up to a quarter. */
#define RTK_BACKOFF_FIRST_MS 500
#define RTK_BACKOFF_MAX_MS 8000

/* ms: the longest announced wait that is believed, one day; also keeps sums
** of times far from overflow. */
#define RTK_WAIT_MAX_MS 86400000

/* Quotas that one server announces: a reply has one or two.  Bytes of the name
** of one, and the largest number of requests that is believed. */
#define RTK_RATELIMIT_ITEMS_MAX 4
#define RTK_RATELIMIT_NAME_MAX 32
#define RTK_RATELIMIT_COUNT_MAX 1000000000

/* Rows of a page that are asked for.  No limit is published; the server gives as
** many as it likes. */
#define RTK_PER_PAGE 100

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

/* Rows of one reply: 10 times the most that a page can have been asked for, and
** more days than an analytics reply can cover.  A body of 1 MB could otherwise
** hold 340,000 empty objects, which take 300 MB as rows. */
#define RTK_ROWS_MAX 10000

/* Bytes of one name in the path to a reply's rows. */
#define RTK_JSON_NAME_MAX 64

/* How deep an error_chain is followed, and how many errors are read in all. */
#define RTK_ERROR_CHAIN_MAX 8
#define RTK_ERRORS_MAX 16

/* After n ids, or pages of a list, have been read, at most this many times n have
** been requested: a LIMIT wastes at most three requests for each. */
#define RTK_AHEAD_GROWTH 4

/* Columns and arguments of one endpoint, checked by the unit tests.  A plan has
** 31 bits, two for each argument. */
#define RTK_COLUMNS_MAX 48
#define RTK_INPUTS_MAX 14

#endif
