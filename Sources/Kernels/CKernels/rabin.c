// Searching for a cut: whether a chunk may end after a byte depends on the 64 bytes before it alone, so four stretches
// of the input are searched in lockstep and the dependency chains of their table look-ups overlap.
//
// One step appends a byte and drops the oldest: F' = F * x^8 + new + old * x^512 (mod P), where the multiplication's
// overflow is taken back by a table indexed with the eight bits that left.
#include "CKernels.h"

enum { WINDOW = 64, LANES = 4, STRETCH_MAX = 8192, STRETCH_MIN = 256, SHIFT = 45 };

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

/// The plain form: rolls on from the fingerprint at length `from` and tests from + 1 ... to.
static size_t find_serially(
    const uint64_t *tables, const uint8_t *bytes, uint64_t print, size_t from, size_t to, uint64_t mask) {
    for (size_t i = from; i < to; i++) {
        print = roll(tables, print, bytes[i], bytes[i - WINDOW]);
        if ((print & mask) == 0) return i + 1;
    }
    return 0;
}

/// Tests the lengths at ..< at + 4 * stretch.
static size_t find_in_lanes(
    const uint64_t *tables, const uint8_t *bytes, size_t at, size_t stretch, uint64_t mask) {
    const uint8_t *p0 = bytes + at, *p1 = p0 + stretch, *p2 = p1 + stretch, *p3 = p2 + stretch;
    uint64_t d0 = 0, d1 = 0, d2 = 0, d3 = 0;
    for (int i = -WINDOW; i < 0; i++) {
        d0 = append_byte(tables + 256, d0, p0[i]);
        d1 = append_byte(tables + 256, d1, p1[i]);
        d2 = append_byte(tables + 256, d2, p2[i]);
        d3 = append_byte(tables + 256, d3, p3[i]);
    }
    size_t i = 0;
    int hit;
    for (;;) {
        if ((d0 & mask) == 0) { hit = 0; break; }
        if ((d1 & mask) == 0) { hit = 1; break; }
        if ((d2 & mask) == 0) { hit = 2; break; }
        if ((d3 & mask) == 0) { hit = 3; break; }
        if (i == stretch - 1) return 0;
        d0 = roll(tables, d0, p0[i], p0[(ptrdiff_t)i - WINDOW]);
        d1 = roll(tables, d1, p1[i], p1[(ptrdiff_t)i - WINDOW]);
        d2 = roll(tables, d2, p2[i], p2[(ptrdiff_t)i - WINDOW]);
        d3 = roll(tables, d3, p3[i], p3[(ptrdiff_t)i - WINDOW]);
        i++;
    }
    // A hit in a later lane counts only if the earlier lanes find none in the rest of their stretches.
    const uint64_t prints[LANES] = { d0, d1, d2, d3 };
    for (int lane = 0; lane < hit; lane++) {
        size_t start = at + (size_t)lane * stretch;
        size_t found = find_serially(tables, bytes, prints[lane], start + i, start + stretch - 1, mask);
        if (found != 0) return found;
    }
    return at + (size_t)hit * stretch + i;
}

size_t hf_rabin_find(const uint64_t *tables, const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
    size_t at = from;
    while (at <= to) {
        size_t stretch = (to - at + 1) / LANES;
        if (stretch < STRETCH_MIN) break;
        if (stretch > STRETCH_MAX) stretch = STRETCH_MAX;
        size_t found = find_in_lanes(tables, bytes, at, stretch, mask);
        if (found != 0) return found;
        at += LANES * stretch;
    }
    if (at > to) return 0;
    uint64_t print = fingerprint(tables, bytes + at);
    if ((print & mask) == 0) return at;
    return find_serially(tables, bytes, print, at, to, mask);
}
