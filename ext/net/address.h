/*
** Where requests may go.  The token goes to base_url alone, which the user has
** set.  A link comes from a server, which does not have to be believed: it must
** not open what only this machine reaches, as 169.254.169.254 of a cloud.
*/
#ifndef RTK_ADDRESS_H
#define RTK_ADDRESS_H

#include <stdbool.h>

struct rtk_err;
struct sockaddr;

/* Is this a base URL that a token may be sent to?  https, or http to a
** loopback address; a host; no user, query or fragment.  SQLITE_ERROR with a
** message that says what is wrong with it. */
int rtk_address_check_base_url(const char *url, struct rtk_err *err);

/* Does a base URL lead to a loopback address? */
bool rtk_address_is_local(const char *url);

/* Is this a link that may be followed?  https, no user, and a name or a public
** address.  With `is_local_too` any address, and http to loopback.  SQLITE_OK,
** SQLITE_ERROR or SQLITE_NOMEM. */
int rtk_address_check_link(const char *url, bool is_local_too);

/* Is it on the public internet?  For what a name resolves to, when it is
** connected to. */
bool rtk_address_is_public(const struct sockaddr *address);

#endif
