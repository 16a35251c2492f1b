# rtk: Cloudflare RealtimeKit as tables in SQLite. `make help` lists the targets.
#
#   ext/, its folders -> ./rtk.so            the extension
#   tests/api/*.c     -> build/api           the local API server of demo and tests
#                     -> build/relay         breaks connections, for tests
#                     -> build/clock.so      sets the clock of a process, for tests
#   tests/unit/*.c    -> build/unit/test_*   linked with the extension's objects
#   tests/host/*.c    -> build/host/test_*   programs that load ./rtk.so
#   tests/bench/*.c   -> build/bench/measure what a command costs
#
# `make test SANITIZE=address,undefined` builds all of it, rtk.so too, once more
# in build/address-undefined and leaves the normal build alone.

VERSION  = 0.1.0
PREFIX   = /usr/local
LIBDIR   = $(PREFIX)/lib
CFLAGS   = -O2 -g
SANITIZE =

# --- what differs between systems ---------------------------------------------

ifeq ($(shell uname -s),Darwin)
SO      = rtk.dylib
LDSO    = -dynamiclib -undefined dynamic_lookup# rtk.c keeps it loaded
SYSTEM  = -D_DARWIN_C_SOURCE# getprogname(), which _POSIX_C_SOURCE hides
BREW   := $(shell brew --prefix)
SQLITE3 = $(BREW)/opt/sqlite/bin/sqlite3# Apple's own cannot load extensions
export PKG_CONFIG_PATH := $(BREW)/opt/sqlite/lib/pkgconfig:$(BREW)/opt/curl/lib/pkgconfig:$(PKG_CONFIG_PATH)
else
SO      = rtk.so
# soname: `.load rtk` finds it through ldconfig. nodelete: it stays in memory
# when SQLite closes the last connection, and with it the request budget.
LDSO    = -shared -Wl,-soname,rtk.so -Wl,-z,nodelete
SQLITE3 = sqlite3
endif

ifeq ($(strip $(SANITIZE)),)
B     = build
RTK   = $(SO)
else
comma = ,
B     = build/$(subst $(comma),-,$(strip $(SANITIZE)))
RTK   = $(B)/$(SO)
SANFLAGS = -fsanitize=$(strip $(SANITIZE)) -fno-sanitize-recover=all \
           -fno-omit-frame-pointer
# The shell itself is not sanitized: the runtime has to be there before it.
san_lib = $(if $(findstring $(1),$(SANITIZE)),$(shell $(CC) -print-file-name=$(2)))
PRELOAD = $(call san_lib,address,libasan.so)$(call san_lib,thread,libtsan.so)
endif

# --- flags --------------------------------------------------------------------

# Asked anew at each use: in `make deps demo` the answer comes with deps.
# cJSON is included as <cjson/cJSON.h>, its .pc may name the directory below.
cflags = $(patsubst %/cjson,%,$(shell pkg-config --cflags $(1)))
libs   = $(shell pkg-config --libs $(1))

WARN   = -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla \
         -Wformat=2
DEFS   = -D_POSIX_C_SOURCE=200809L $(SYSTEM) -DRTK_VERSION='"$(VERSION)"'
# Many hosts are built without SQLite's deprecated functions.
EXT    = -std=c11 $(WARN) $(DEFS) -DSQLITE_OMIT_DEPRECATED -fPIC \
         -fvisibility=hidden -iquote ext $(call cflags,sqlite3 libcurl libcjson)
OPENAPI = -DAPI_EXAMPLES='"$(CURDIR)/tests/api/realtimekit.openapi.json"'
API    = -std=c11 $(WARN) $(DEFS) \
         $(OPENAPI) $(call cflags,libmicrohttpd libcjson zlib)
UNIT   = -std=c11 $(WARN) $(DEFS) -DSQLITE_CORE -iquote ext $(OPENAPI) \
         $(call cflags,cmocka sqlite3 libcurl libcjson)
HOST   = -std=c11 $(WARN) $(DEFS) -D_DEFAULT_SOURCE $(call cflags,cmocka sqlite3)
BENCH  = -std=c11 $(WARN) $(DEFS)

EXT_LIBS  = $(call libs,libcurl libcjson) -lm
API_LIBS  = $(call libs,libmicrohttpd libcjson zlib) -pthread -lm
UNIT_LIBS = $(call libs,cmocka sqlite3) $(EXT_LIBS) -pthread
HOST_LIBS = $(call libs,cmocka sqlite3) -pthread -ldl -rdynamic

COMPILE = @mkdir -p $(@D) && echo "  CC   $@" && \
          $(CC) $(CFLAGS) $(SANFLAGS) -MMD -MP
LINK    = @mkdir -p $(@D) && echo "  LINK $@" && \
          $(CC) $(CFLAGS) $(SANFLAGS) $(LDFLAGS)

EXT_C  := $(wildcard ext/*.c ext/*/*.c)
RELAY_C := tests/api/relay.c
CLOCK_C := tests/api/clock.c
API_C  := $(filter-out $(RELAY_C) $(CLOCK_C),$(wildcard tests/api/*.c))
UNIT_C := $(wildcard tests/unit/test_*.c)
HOST_C := $(wildcard tests/host/test_*.c)
BENCH_C := tests/bench/measure.c
SOURCES  = $(EXT_C) $(API_C) $(RELAY_C) $(CLOCK_C) $(UNIT_C) $(HOST_C) $(BENCH_C)
PROGRAMS = $(UNIT_C:tests/%.c=$(B)/%) $(HOST_C:tests/%.c=$(B)/%)

# --- build --------------------------------------------------------------------

.PHONY: all demo live bench calls mutate pages test test-versions valgrind lint format objects \
        install uninstall deps clean help
.DELETE_ON_ERROR:
.SECONDARY:
ifneq ($(filter deps clean,$(MAKECMDGOALS)),)
.NOTPARALLEL: # what these do comes before the goals after them
endif

all: $(RTK) ## build ./rtk.so (the default)

$(RTK): $(EXT_C:%.c=$(B)/%.o)
	$(LINK) $(LDSO) -o $@ $^ $(EXT_LIBS)

$(B)/api: $(API_C:%.c=$(B)/%.o)
	$(LINK) -o $@ $^ $(API_LIBS)

$(B)/relay: $(RELAY_C:%.c=$(B)/%.o)
	$(LINK) -o $@ $^

$(B)/clock.so: $(CLOCK_C) Makefile # not sanitized: comes after that library
	@mkdir -p $(@D) && echo "  LINK $@"
	@$(CC) $(CFLAGS) $(API) -fPIC -shared -o $@ $<

$(B)/bench/measure: $(BENCH_C:%.c=$(B)/%.o)
	$(LINK) -o $@ $^

$(B)/unit/librtk.a: $(EXT_C:ext/%.c=$(B)/core/%.o)
	@mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^

$(B)/unit/test_%: $(B)/tests/unit/test_%.o $(B)/unit/librtk.a
	$(LINK) -o $@ $^ $(UNIT_LIBS)

$(B)/host/test_%: $(B)/tests/host/test_%.o
	$(LINK) -o $@ $^ $(HOST_LIBS)

$(B)/ext/%.o: ext/%.c Makefile
	$(COMPILE) $(EXT) -c -o $@ $<

$(B)/core/%.o: ext/%.c Makefile # the same for static linking, as SQLite has it
	$(COMPILE) $(EXT) -DSQLITE_CORE -c -o $@ $<

$(B)/tests/api/%.o: tests/api/%.c Makefile
	$(COMPILE) $(API) -c -o $@ $<

$(B)/tests/unit/%.o: tests/unit/%.c Makefile
	$(COMPILE) $(UNIT) -c -o $@ $<

$(B)/tests/host/%.o: tests/host/%.c Makefile
	$(COMPILE) $(HOST) -c -o $@ $<

$(B)/tests/bench/%.o: tests/bench/%.c Makefile
	$(COMPILE) $(BENCH) -c -o $@ $<

-include $(shell find build -name '*.d' 2>/dev/null)

# Run by test-versions without SQLite's deprecated functions; the first has all of
# the extension linked in it.
OMITTED = unit/test_made_up host/test_ahead host/test_generated

# --- run ----------------------------------------------------------------------

# What the scripts in tests/ work on; called by hand they take the normal build.
TESTED = BUILD='$(CURDIR)/$(B)' RTK_SO='$(CURDIR)/$(RTK)' PRELOAD='$(PRELOAD)' \
         SQLITE3='$(VALGRIND)$(SQLITE3)' SANITIZE='$(SANITIZE)'

demo: $(RTK) $(B)/api ## show what it does, on the local API server
	@$(TESTED) tests/demo

live: $(RTK) ## compare the live service with what rtk assumes (see tests/live)
	@$(TESTED) tests/live

test: $(RTK) $(B)/api $(B)/relay $(B)/clock.so $(PROGRAMS) ## run all tests (SANITIZE=address,undefined)
	@$(TESTED) tests/all

test-versions: $(RTK) $(B)/api $(OMITTED:%=$(B)/%) ## run the SQL tests on other versions of SQLite, 3.37 to the newest (VERSIONS='3.54.1')
	@$(TESTED) OMITTED='$(OMITTED)' tests/versions $(VERSIONS)

mutate: $(RTK) $(B)/api $(B)/relay $(PROGRAMS) ## break lines: do the tests notice? (ONLY=pace)
	@$(TESTED) tests/mutate $(ONLY)

pages: $(RTK) ## write the generated parts of ext/doc anew
	@$(TESTED) tests/generated --write

bench: $(RTK) $(B)/api $(B)/bench/measure ## measure rtk beside curl, 7 minutes (BENCH_PAIRS=3: less)
	@$(TESTED) tests/bench/run

calls: $(B)/api ## count the calls between modules for an id and for a list
	@$(TESTED) tests/calls

valgrind: VALGRIND = valgrind -q --error-exitcode=99 --leak-check=full \
                     --errors-for-leak-kinds=definite #
valgrind: $(RTK) $(B)/api ## run the SQL tests under valgrind
	@$(TESTED) tests/all sql

# --- lint ---------------------------------------------------------------------

LINT_OBJECTS = --no-print-directory objects CFLAGS="-O2 -Werror"

FORMATTED = $(SOURCES) $(wildcard ext/*/*.h tests/*/*.h)

lint: $(SO) ## check warnings (gcc, clang), format, cppcheck, layers, symbols, mutations
	@$(MAKE) $(LINT_OBJECTS) CC=gcc B=build/lint/gcc
	@$(MAKE) $(LINT_OBJECTS) CC=clang B=build/lint/clang
	clang-format --dry-run -Werror $(FORMATTED)
	cppcheck -q --std=c11 --enable=warning,performance,portability \
	  --inline-suppr --error-exitcode=1 -Iext -DSQLITE_EXTENSION_INIT1= \
	  '-DSQLITE_EXTENSION_INIT2(api)=' -DSQLITE_EXTENSION_INIT3= $(SOURCES)
	tests/lint/layers
	tests/lint/sizes
	tests/lint/banned
	tests/lint/symbols $(SO)
	mandoc -T lint -W warning ext/doc/rtk.7
	tests/mutate --check

format: ## lay out the C sources as .clang-format says
	clang-format -i $(FORMATTED)

objects: $(SOURCES:%.c=$(B)/%.o) # every source, for its warnings

# --- install ------------------------------------------------------------------

DEST = $(DESTDIR)$(LIBDIR)
SHARE = $(DESTDIR)$(PREFIX)/share/rtk
MAN = $(DESTDIR)$(PREFIX)/share/man/man7
LDCONFIG = [ -n '$(DESTDIR)' ] || [ $$(id -u) != 0 ] || \
           ! command -v ldconfig >/dev/null || ldconfig

install: $(RTK) ## install into PREFIX=/usr/local, for `.load rtk` anywhere
	install -d '$(DEST)' '$(SHARE)/reports'
	install -m 755 $(RTK) '$(DEST)/$(SO)'
	$(if $(filter rtk.so,$(SO)),ln -sf rtk.so '$(DEST)/librtk.so')
	install -m 644 sql/archive.sql sql/dashboard.sql sql/sync.sql sql/views.sql '$(SHARE)'
	install -d '$(MAN)'
	install -m 644 ext/doc/rtk.7 '$(MAN)'
	install -m 644 sql/reports/*.sql '$(SHARE)/reports'
	@$(LDCONFIG)
	@if [ -n '$(DESTDIR)' ]; then \
	  echo 'staged: on the system it goes to, run ldconfig'; \
	elif cd / && $(SQLITE3) -batch -init /dev/null :memory: '.load rtk' 2>/dev/null; \
	then echo 'installed: `.load rtk` works from any directory'; \
	else echo 'installed: `.load $(abspath $(LIBDIR))/rtk`'; fi

uninstall: ## remove what install made (same PREFIX, DESTDIR)
	rm -f '$(DEST)/$(SO)' $(if $(filter rtk.so,$(SO)),'$(DEST)/librtk.so')
	rm -rf '$(SHARE)' '$(MAN)/rtk.7'
	@$(LDCONFIG)

# --- the rest -----------------------------------------------------------------

deps: ## install what demo and test need (others: tests/deps lint bench versions browser)
	@tests/deps

clean: ## remove everything that make made
	rm -rf build rtk.so rtk.dylib

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | \
	  while read -r t what; do printf '  make %-13s %s\n' "$$t" "$$what"; done
