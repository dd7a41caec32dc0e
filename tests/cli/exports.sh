# SPDX-License-Identifier: LGPL-2.1-or-later
# The collector brings these symbols into every program, and no other; it needs libc alone.
. "$TESTS/lib.sh"
need nm readelf

sort >expected <<'END'
_ZdaPv
_ZdaPvRKSt9nothrow_t
_ZdaPvSt11align_val_t
_ZdaPvSt11align_val_tRKSt9nothrow_t
_ZdaPvm
_ZdaPvmSt11align_val_t
_ZdlPv
_ZdlPvRKSt9nothrow_t
_ZdlPvSt11align_val_t
_ZdlPvSt11align_val_tRKSt9nothrow_t
_ZdlPvm
_ZdlPvmSt11align_val_t
_Znam
_ZnamRKSt9nothrow_t
_ZnamSt11align_val_t
_ZnamSt11align_val_tRKSt9nothrow_t
_Znwm
_ZnwmRKSt9nothrow_t
_ZnwmSt11align_val_t
_ZnwmSt11align_val_tRKSt9nothrow_t
aligned_alloc
calloc
cfree
dlmopen
dlopen
execl
execle
execlp
execv
execve
execveat
execvp
execvpe
fexecve
fork
_Fork
free
free_aligned_sized
free_sized
malloc
memalign
mlockall
posix_memalign
posix_spawn
posix_spawnp
prctl
prlimit
prlimit64
pvalloc
realloc
reallocarray
setrlimit
setrlimit64
syscall
valloc
END
nm -D --defined-only "$LIB" | awk '{print $3}' | sed 's/@.*//' | sort >actual
diff expected actual || fail "exported symbols differ (< expected, > actual)"
needed=$(readelf -d "$LIB" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^ld-linux')
equal "needed libraries" "$needed" libc.so.6
! readelf -d "$LIB" | grep -qE 'TEXTREL' || fail "text relocations"
