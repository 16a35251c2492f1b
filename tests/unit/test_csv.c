/*
** The texts behind links: comma-separated values as JSON, and what of a file
** becomes a reply's body.
*/
#include "api/csv.h"

#include "api/endpoint.h"
#include "api/text.h"
#include "net/http.h"

#include "check.h"

/* With ' in place of " on both sides. */
static const struct {
  const char *text, *json; /* NULL: a quote that does not end */
} lines[] = {
    {"", "[]"},
    {"\r\n\n\r", "[]"},
    {"1,Ann", "[{'line':1,'one':'1','two':'Ann'}]"},
    {"1,Ann\r\n2,Bob\r\n",
     "[{'line':1,'one':'1','two':'Ann'},{'line':2,'one':'2','two':'Bob'}]"},
    {"1\n\n2\r3", "[{'line':1,'one':'1'},{'line':2,'one':'2'},"
                  "{'line':3,'one':'3'}]"},
    /* Missing, empty, and more than there are. */
    {",", "[{'line':1}]"},
    {",b,c,d,e", "[{'line':1,'two':'b','threeWords':'c'}]"},
    {"'',b", "[{'line':1,'one':'','two':'b'}]"},
    /* Quotes. */
    {"'a,b\r\nc','say ''hi'''",
     "[{'line':1,'one':'a,b\\r\\nc','two':'say \\'hi\\''}]"},
    {"a'b,c''d", "[{'line':1,'one':'a\\'b','two':'c\\'\\'d'}]"},
    {"'a'b,c", "[{'line':1,'one':'ab','two':'c'}]"},
    {"''''", "[{'line':1,'one':'\\''}]"},
    {"'", NULL},
    {"1,'a\n2,b\n", NULL},
    {"1,'''", NULL},
    {"'''''", NULL},
    /* What JSON escapes. */
    {"a\\n,\tb\x01", "[{'line':1,'one':'a\\\\n','two':'\\tb\\u0001'}]"},
    /* A line of names, in whatever order and form. */
    {"one,two,threeWords\n1,2,3",
     "[{'line':1,'one':'1','two':'2','threeWords':'3'}]"},
    {"two,'Three Words',other,ONE\n1,2,3,4",
     "[{'line':1,'two':'1','threeWords':'2','one':'4'}]"},
    {"three_words", "[]"},
    {"one,x,y\n1", "[{'line':1,'one':'one','two':'x','threeWords':'y'},"
                   "{'line':2,'one':'1'}]"},
    {"one,'", NULL},
};

/* Another text that has to be the same JSON: escapes can be written in ways. */
static void check_same(const char *name, const char *got,
                       const char *expected) {
  cJSON *a = cJSON_Parse(got), *b = cJSON_Parse(expected);
  if (a == NULL || b == NULL || !cJSON_Compare(a, b, 1)) {
    check_text(name, "JSON", got, expected);
  }
  cJSON_Delete(a);
  cJSON_Delete(b);
}

CASE(lines_become_rows) {
  for (size_t i = 0; i < COUNT(lines); i++) {
    char *text = check_json(lines[i].text);
    char *json = lines[i].json == NULL ? NULL : check_json(lines[i].json);
    sqlite3_str *out = sqlite3_str_new(NULL);
    bool is_whole = rtk_csv_put_json(out, "one two threeWords ",
                                     (struct rtk_text){text, strlen(text)});
    char *got = sqlite3_str_finish(out);
    check_int(text, "is whole", is_whole, json != NULL);
    if (json != NULL) check_same(text, got, json);
    sqlite3_free(got);
    sqlite3_free(json);
    sqlite3_free(text);
  }
}

CASE(lines_are_bounded) {
  for (int count = RTK_LINES_MAX; count <= RTK_LINES_MAX + 1; count++) {
    sqlite3_str *out = sqlite3_str_new(NULL), *file = sqlite3_str_new(NULL);
    for (int i = 0; i < count; i++) sqlite3_str_appendall(file, "1\n");
    size_t size = (size_t)sqlite3_str_length(file);
    char *text = sqlite3_str_finish(file);
    check_int("lines", "are taken",
              rtk_csv_put_json(out, "a ", (struct rtk_text){text, size}),
              count == RTK_LINES_MAX);
    sqlite3_free(sqlite3_str_finish(out));
    sqlite3_free(text);
  }
}

CASE(a_file_becomes_a_body) {
  static const struct {
    const char *names, *type, *file, *body; /* NULL: damaged */
  } files[] = {
      {"a b ", "text/csv", "", "{'data':{'text':[]}}"},
      {"a b ", "text/csv",
       "\xEF\xBB\xBF"
       "1,2",
       "{'data':{'text':[{'line':1,'a':'1','b':'2'}]}}"},
      {"a b ", "text/csv", "'1", NULL},
      {"a b ", "application/json", " [{'a':1}] ",
       "{'data':{'text':[{'a':1}]}}"},
      /* No list of lines, and an error page. */
      {"a b ", "text/plain", "{'a':1}", NULL},
      {"a b ", "application/xml", " <Error/>", NULL},
      {"a b ", "application/json", "[{'a':1}", NULL},
      /* What would be another body. */
      {"a b ", "application/json", "[]},'data':{'link':'https://x/'", NULL},
      {"a b ", "text/html; charset=utf-8", "1,2", NULL},
      {NULL, "text/markdown", "", "{'data':{'text':[]}}"},
      {NULL, "text/markdown", "# A 'word'\n",
       "{'data':{'text':[{'text':'# A \\'word\\'\\n'}]}}"},
      {NULL, "text/markdown", "[1](2)",
       "{'data':{'text':[{'text':'[1](2)'}]}}"},
      {NULL, "TEXT/HTML", "# A", NULL},
  };
  for (size_t i = 0; i < COUNT(files); i++) {
    char *file = check_json(files[i].file), *got = NULL;
    char *body = files[i].body == NULL ? NULL : check_json(files[i].body);
    struct rtk_endpoint endpoint = {.text_names = files[i].names};
    struct rtk_response response = {.body = file, .body_size = strlen(file)};
    sqlite3_snprintf(RTK_HEADER_MAX, response.content_type, "%s",
                     files[i].type);
    check_int(file, "result", rtk_text_as_reply(&endpoint, &response, &got),
              body == NULL ? SQLITE_ERROR : SQLITE_OK);
    if (body == NULL) {
      check_text(file, "body", got, NULL);
    } else {
      check_same(file, got, body);
    }
    sqlite3_free(got);
    sqlite3_free(body);
    sqlite3_free(file);
  }
}

int main(void) { return check_run(); }
