/* hello.c - a host: runs a script, reads a tensor back, gets an error, gives all back. */
#include <lugano_lua.h>
#include <stdio.h>

int main(void)
{
    lg_engine *E;
    if (lg_open(&E, NULL) != LG_OK)
        return 1;
    lg_run_string(E, "answer = require 'lugano'.full({2, 3}, 7)", "hello.lua");
    lg_tensor *answer = lg_global(E, "answer");
    if (!answer)
        printf("%s\n", lg_message(E));
    else
        printf("{%d,%d} of %g\n", (int)lg_dim(answer, 1), (int)lg_dim(answer, 2),
               (double)lg_data(answer)[0]);
    lg_status status = lg_run_string(E, "answer:matmul(answer)", "hello.lua");
    printf("status %d: %s\n", (int)status, lg_message(E));
    printf("%d bytes left\n", (int)lg_close(E));
    return status == LG_ESHAPE ? 0 : 1;
}
