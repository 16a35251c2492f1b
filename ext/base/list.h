/*
** A doubly linked list through a field of its items, which must be their first
** one: a link is then cast to its item.
**
**     list.end --next--> first <--> second <--> last --next--> list.end
*/
#ifndef RTK_LIST_H
#define RTK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct rtk_link {
  struct rtk_link *next, *previous;
};

struct rtk_list {
  struct rtk_link end;
  int count;
};

static inline void rtk_list_init(struct rtk_list *list) {
  list->end.next = list->end.previous = &list->end;
  list->count = 0;
}

/* The first item and the one behind `link`; NULL: none. */
static inline struct rtk_link *rtk_list_first(const struct rtk_list *list) {
  return list->count == 0 ? NULL : list->end.next;
}

static inline struct rtk_link *rtk_list_next(const struct rtk_list *list,
                                             const struct rtk_link *link) {
  return link->next == &list->end ? NULL : link->next;
}

static inline void rtk_list_insert(struct rtk_list *list, struct rtk_link *link,
                                   struct rtk_link *before) {
  link->next = before;
  link->previous = before->previous;
  before->previous->next = link;
  before->previous = link;
  list->count++;
}

static inline void rtk_list_append(struct rtk_list *list,
                                   struct rtk_link *link) {
  rtk_list_insert(list, link, &list->end);
}

static inline void rtk_list_prepend(struct rtk_list *list,
                                    struct rtk_link *link) {
  rtk_list_insert(list, link, list->end.next);
}

static inline void rtk_list_remove(struct rtk_list *list,
                                   struct rtk_link *link) {
  link->previous->next = link->next;
  link->next->previous = link->previous;
  link->next = link->previous = NULL;
  list->count--;
}

#endif
