/*
 * subnormal.h - numbers next to zero as zeros, for a while, in this thread.
 *
 * A running mean whose input has become zero shrinks until its numbers are below the
 * smallest normal one, where processors need a hundred cycles for a sum or product: a net
 * with idle units would train at half the speed. Where that counts, and nobody could tell
 * the difference, they are taken for zeros, read or written, as ARM and x86 do alike.
 */
#ifndef LG_BASE_SUBNORMAL_H
#define LG_BASE_SUBNORMAL_H
#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

static inline uint64_t lgi_flush_subnormals(void)  /* for lgi_keep_subnormals */
{
    uint64_t was = _mm_getcsr();
    _mm_setcsr((unsigned)was | 0x8040);                /* FTZ and DAZ */
    return was;
}

static inline void lgi_keep_subnormals(uint64_t was) { _mm_setcsr((unsigned)was); }

#elif defined(__aarch64__)

static inline uint64_t lgi_flush_subnormals(void)
{
    uint64_t was;
    __asm__ volatile("mrs %0, fpcr" : "=r"(was));
    __asm__ volatile("msr fpcr, %0" : : "r"(was | (uint64_t)1 << 24));     /* FZ */
    return was;
}

static inline void lgi_keep_subnormals(uint64_t was)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(was));
}

#else

static inline uint64_t lgi_flush_subnormals(void) { return 0; }
static inline void lgi_keep_subnormals(uint64_t was) { (void)was; }

#endif
#endif
