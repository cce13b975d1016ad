// Places in text, sixteen bytes at a time: SSE2 is part of every x86-64; elsewhere the plain form does it.
#include "CKernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
enum { BLOCK = 64, LANE = 16 };
#endif

// MARK: the end of a JSON object

/// Where the walk stands: brackets open, and whether inside a string.
typedef struct {
    size_t depth, limit;
    bool is_string;
} json_place;

/// Walks bytes one by one; the index behind the bracket that closes the object, or 0. `*at` is where the walk stopped: `end`, or one
/// beyond it after a backslash.
static size_t walk(const uint8_t *bytes, size_t *at, size_t end, json_place *place) {
    size_t i = *at;
    for (; i < end; i++) {
        uint8_t byte = bytes[i];
        if (place->is_string) {
            if (byte == '\\') i++;
            else if (byte == '"') place->is_string = false;
        } else if (byte == '"') {
            place->is_string = true;
        } else if (byte == '{' || byte == '[') {
            if (++place->depth > place->limit) break;
        } else if ((byte == '}' || byte == ']') && --place->depth == 0) {
            *at = i + 1;
            return i + 1;
        }
    }
    *at = i;
    return 0;
}

#if defined(__x86_64__)
/// One bit for each of 64 bytes: set where `byte`, with `bits` set in both, is.
__attribute__((always_inline)) static inline uint64_t mask(const uint8_t *bytes, char byte, char bits) {
    __m128i wanted = _mm_set1_epi8(byte), more = _mm_set1_epi8(bits);
    uint64_t found = 0;
    for (int i = 0; i < BLOCK / LANE; i++) {
        __m128i block = _mm_or_si128(_mm_loadu_si128((const __m128i *)(bytes + i * LANE)), more);
        found |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted)) << (i * LANE);
    }
    return found;
}

/// Bit i is set when an odd number of bits up to and with i are: between the quotes.
static inline uint64_t between(uint64_t quotes) {
    for (int shift = 1; shift < 64; shift *= 2) quotes ^= quotes << shift;
    return quotes;
}

/// As `walk` over 64 bytes without a backslash.
static size_t walk_block(const uint8_t *bytes, size_t at, json_place *place) {
    uint64_t quotes = mask(bytes + at, '"', 0);
    uint64_t strings = between(quotes) ^ (place->is_string ? ~UINT64_C(0) : 0);
    // { and [ differ in one bit, as do } and ].
    uint64_t opening = mask(bytes + at, '{', 0x20) & ~strings, closing = mask(bytes + at, '}', 0x20) & ~strings;
    place->is_string ^= __builtin_parityll(quotes);
    for (uint64_t rest = opening | closing; rest != 0; rest &= rest - 1) {
        uint64_t bit = rest & -rest;
        if (opening & bit) {
            if (++place->depth > place->limit) return 0;
        } else if (--place->depth == 0) {
            return at + (size_t)__builtin_ctzll(rest) + 1;
        }
    }
    return 0;
}
#endif

size_t hf_json_object_end(const uint8_t *bytes, size_t count, size_t start, size_t depth_max, bool is_plain) {
    json_place place = { .depth = 1, .limit = depth_max, .is_string = false };
    size_t at = start, end = 0;
#if defined(__x86_64__)
    while (!is_plain && at + BLOCK <= count && end == 0 && place.depth <= place.limit) {
        if (mask(bytes + at, '\\', 0) != 0) {
            end = walk(bytes, &at, at + BLOCK, &place);
        } else {
            end = walk_block(bytes, at, &place);
            at += BLOCK;
        }
    }
#endif
    if (end == 0 && place.depth <= place.limit) end = walk(bytes, &at, count, &place);
    return end;
}

// MARK: a word

size_t hf_find(const uint8_t *bytes, size_t count, size_t start, const uint8_t *word, size_t length) {
    size_t at = start;
#if defined(__x86_64__)
    // Two letters inside the word at once: quotes and other ends stand everywhere.
    size_t first = length / 4, second = length / 2;
    __m128i wanted_first = _mm_set1_epi8((char)word[first]), wanted_second = _mm_set1_epi8((char)word[second]);
    for (; at + length + LANE <= count; at += LANE) {
        __m128i a = _mm_loadu_si128((const __m128i *)(bytes + at + first));
        __m128i b = _mm_loadu_si128((const __m128i *)(bytes + at + second));
        __m128i both = _mm_and_si128(_mm_cmpeq_epi8(a, wanted_first), _mm_cmpeq_epi8(b, wanted_second));
        for (unsigned hits = (unsigned)_mm_movemask_epi8(both); hits != 0; hits &= hits - 1) {
            size_t place = at + (size_t)__builtin_ctz(hits);
            if (memcmp(bytes + place, word, length) == 0) return place;
        }
    }
#endif
    for (; at + length <= count; at++) {
        if (bytes[at] == word[0] && memcmp(bytes + at, word, length) == 0) return at;
    }
    return count;
}
