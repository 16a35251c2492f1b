/*
** The limits that several modules share, with unit and reason.  A limit of one
** module is in its file; what a user can change is a setting (config.c).
*/
#ifndef RTK_LIMITS_H
#define RTK_LIMITS_H

/* A limit as a part of a text. */
#define RTK_TEXT_OF(limit) RTK_TEXT_OF_WORD(limit)
#define RTK_TEXT_OF_WORD(word) #word

/* The largest quota and rate that can be set: far more than any server gives,
** and small enough that sums stay far from overflow. */
#define RTK_QUOTA_MAX 1000000

/* ms between two looks at whether the host wants to stop.  Cancelling is
** promised within 100 ms. */
#define RTK_CANCEL_CHECK_MS 20

/* ms: the longest announced wait that is believed, one day; also keeps sums
** of times far from overflow. */
#define RTK_WAIT_MAX_MS 86400000

/* After n ids, or pages of a list, have been read, at most this many times n
** have been requested: a LIMIT wastes at most three requests for each. */
#define RTK_AHEAD_GROWTH 4

#endif
