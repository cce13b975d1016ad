// Would zstd's quick levels gain anything? They find repeats and code single bytes by frequency, so the probe looks for
// exactly these two: skewed byte frequencies, repeats at a distance (aligned words), and repeats nearby (a small region).
#include "CKernels.h"

#include <string.h>

enum {
    PROBE_MIN = 64 << 10,      // smaller blobs are cheap to try
    STRIDE = 512,              // disk sectors: copies in images and archives keep this alignment
    SAMPLE = 16,               // bytes counted at each stride
    WORD_TABLE_BITS = 12,
    WORDS_MAX = 4096,          // look at no more strides than this
    REGION = 16 << 10,         // searched byte by byte in the middle
    REGION_TABLE_BITS = 12,
};

static inline uint64_t load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint32_t hash(uint64_t word, int bits) { return (uint32_t)((word * 0x9E3779B97F4A7C15u) >> (64 - bits)); }

/// Chi-square of the sampled bytes against the uniform distribution, and the share of sampled words seen before.
static bool sample_is_flat(const uint8_t *bytes, size_t count) {
    uint32_t histogram[256] = { 0 };
    uint64_t seen[1 << WORD_TABLE_BITS] = { 0 };
    size_t strides = count / STRIDE, step = STRIDE;
    if (strides > WORDS_MAX) {
        step = STRIDE * ((strides + WORDS_MAX - 1) / WORDS_MAX);
        strides = count / step;
    }
    size_t repeats = 0;
    for (size_t i = 0; i < strides; i++) {
        const uint8_t *at = bytes + i * step;
        for (int j = 0; j < SAMPLE; j++) histogram[at[j]]++;
        uint64_t word = load(at) | 1;
        uint64_t *slot = &seen[hash(word, WORD_TABLE_BITS)];
        if (*slot == word) repeats++;
        *slot = word;
    }
    if (repeats * 100 > strides) return false;
    double total = (double)strides * SAMPLE, sum = 0;
    for (int i = 0; i < 256; i++) sum += (double)histogram[i] * histogram[i];
    double chi_square = sum * 256 / total - total;
    // Random bytes give 255 with a deviation of 22.6; an order-0 coder gains about excess / (11 * total) of the size.
    return chi_square < 255 + 6 * 22.6 + 0.03 * total;
}

/// Few matches of eight bytes inside one contiguous region.
static bool region_is_fresh(const uint8_t *bytes, size_t count) {
    uint16_t heads[1 << REGION_TABLE_BITS] = { 0 };
    const uint8_t *region = bytes + (count - REGION) / 2;
    size_t matched = 0;
    for (size_t i = 0; i + 8 <= REGION; i++) {
        uint64_t word = load(region + i);
        uint16_t *head = &heads[hash(word, REGION_TABLE_BITS)];
        if (*head != 0 && load(region + *head - 1) == word) matched++;
        *head = (uint16_t)(i + 1);
    }
    return matched * 200 < REGION;
}

bool hf_looks_incompressible(const uint8_t *bytes, size_t count) {
    if (count < PROBE_MIN) return false;
    return sample_is_flat(bytes, count) && region_is_fresh(bytes, count);
}
