/* test.h - the whole test framework in C: a check passes, or prints why not. */
#ifndef LG_TEST_H
#define LG_TEST_H
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int test_passed, test_failed;

__attribute__((format(printf, 2, 3)))
static inline bool check(bool ok, const char *format, ...)
{
    va_list ap;
    if (ok) {
        test_passed++;
        return true;
    }
    test_failed++;
    printf("FAIL ");
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
    return false;
}

static inline bool check_text(const char *got, const char *part)
{
    return check(strstr(got, part) != NULL, "'%s' lacks '%s'", got, part);
}

/* The last line of a test program; gives its exit status. */
static inline int report(void)
{
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed > 0;
}
#endif
