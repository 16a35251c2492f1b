/*
** Splits a text of SQL where SQLite's tokenizer splits it.  Only texts that
** SQLite has prepared come here, so there is no error in them to be found.
*/
#ifndef RTK_TOKENS_H
#define RTK_TOKENS_H

/* Behind white space and comments. */
const char *rtk_tokens_skip_blank(const char *c);

/* Behind the token at `c`, which is not blank and not the end of the text: a
** word or number, a parameter (?, ?12, :name, @name, $name::of(tcl)), a quoted
** text or name, or one byte.  A doubled quote begins another token. */
const char *rtk_tokens_skip(const char *c);

#endif
