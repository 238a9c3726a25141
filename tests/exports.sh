#!/bin/sh
# exports.sh LIBRARY... - fails if one of them shows a symbol that is not public.
set -eu
status=0
for library in "$@"; do
    shown=$(nm -D --defined-only "$library" | sed 's/.* //')
    case $shown in *lg_open*) ;; *) echo "$library: lg_open is missing"; status=1 ;; esac
    for symbol in $shown; do
        case $symbol in
        lg_* | luaopen_lugano*) ;;
        *) echo "$library: $symbol should be static, or hidden"; status=1 ;;
        esac
    done
done
exit $status
