// Searching for a cut: whether a chunk may end after a byte depends on the 64 bytes before it alone, so four stretches
// of the input are searched in lockstep and the dependency chains of their table look-ups overlap.
//
// One step appends a byte and drops the oldest: F' = F * x^8 + new + old * x^512 (mod P), where the multiplication's
// overflow is taken back by a table indexed with the eight bits that left.
#include "CKernels.h"

enum { WINDOW = 64, LANES = 4, STRETCH_MIN = 256, STRETCH_MAX = 8192, SHIFT = 45 };

static const size_t MISS = (size_t)-1;

static inline uint64_t append_byte(const uint64_t *reduce, uint64_t print, uint8_t new) {
    return ((print << 8) | new) ^ reduce[print >> SHIFT];
}

static inline uint64_t roll(const uint64_t *tables, uint64_t print, uint8_t new, uint8_t old) {
    return (print << 8) ^ (new ^ tables[old]) ^ tables[256 + (print >> SHIFT)];
}

static uint64_t fingerprint(const uint64_t *tables, const uint8_t *end) {
    uint64_t print = 0;
    for (int i = -WINDOW; i < 0; i++) print = append_byte(tables + 256, print, end[i]);
    return print;
}

/// The plain form: tests the lengths from ... to.
static size_t find_serially(const uint64_t *tables, const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
    uint64_t print = fingerprint(tables, bytes + from);
    if ((print & mask) == 0) return from;
    for (size_t i = from; i < to; i++) {
        print = roll(tables, print, bytes[i], bytes[i - WINDOW]);
        if ((print & mask) == 0) return i + 1;
    }
    return 0;
}

/// Steps of all lanes from their seeds; returns 4 * step + lane of the first hit in that order, or `MISS`.
///
/// Inlined, so that a constant `stretch` becomes part of the addresses: with one pointer and four fingerprints the loop stays
/// within the registers. Nothing but the place is kept on a hit, for the same reason.
__attribute__((always_inline)) static inline size_t step_lanes(
    const uint64_t *tables, const uint8_t *p, size_t stretch, uint64_t mask) {
    uint64_t prints[LANES] = { 0 };
    for (ptrdiff_t i = -WINDOW; i < 0; i++) {
        for (size_t lane = 0; lane < LANES; lane++) {
            prints[lane] = append_byte(tables + 256, prints[lane], p[(ptrdiff_t)(lane * stretch) + i]);
        }
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        if ((prints[lane] & mask) == 0) return lane;
    }
    for (size_t i = 0; i < stretch - 1; i++) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const uint8_t *at = p + i + lane * stretch;
            prints[lane] = roll(tables, prints[lane], at[0], at[-WINDOW]);
            if ((prints[lane] & mask) == 0) return (i + 1) * LANES + lane;
        }
    }
    return MISS;
}

__attribute__((noinline)) static size_t step_long_lanes(const uint64_t *tables, const uint8_t *p, uint64_t mask) {
    return step_lanes(tables, p, STRETCH_MAX, mask);
}

__attribute__((noinline)) static size_t step_short_lanes(
    const uint64_t *tables, const uint8_t *p, size_t stretch, uint64_t mask) {
    return step_lanes(tables, p, stretch, mask);
}

/// Tests the lengths at ..< at + 4 * stretch.
static size_t find_in_lanes(
    const uint64_t *tables, const uint8_t *bytes, size_t at, size_t stretch, uint64_t mask) {
    size_t hit = stretch == STRETCH_MAX ? step_long_lanes(tables, bytes + at, mask)
                                        : step_short_lanes(tables, bytes + at, stretch, mask);
    if (hit == MISS) return 0;
    // A hit in a later lane counts only if the earlier lanes find none in the rest of their stretches.
    size_t step = hit / LANES;
    for (size_t lane = 0; lane < hit % LANES; lane++) {
        size_t start = at + lane * stretch;
        size_t found = find_serially(tables, bytes, start + step, start + stretch - 1, mask);
        if (found != 0) return found;
    }
    return at + hit % LANES * stretch + step;
}

size_t hf_rabin_find(const uint64_t *tables, const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
    size_t at = from;
    while (at <= to) {
        size_t stretch = (to - at + 1) / LANES;
        if (stretch < STRETCH_MIN) return find_serially(tables, bytes, at, to, mask);
        if (stretch > STRETCH_MAX) stretch = STRETCH_MAX;
        size_t found = find_in_lanes(tables, bytes, at, stretch, mask);
        if (found != 0) return found;
        at += LANES * stretch;
    }
    return 0;
}
