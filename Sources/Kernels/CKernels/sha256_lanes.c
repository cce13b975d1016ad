// SHA-256 of several messages at a time: eight messages advance in step, each in its lane of 32-bit words, so that one vector
// instruction does for eight what the plain form does for one. A message's own chain of rounds cannot be shortened.
//
// The loop is written once in vector notation and compiled for each instruction set; what the processor has is asked once. With
// SHA instructions (or without wide vectors) one message after the other is faster, or all there is.
#define OPENSSL_SUPPRESS_DEPRECATED   // the handles of EVP cannot go on from a state that lanes have reached
#include "CKernels.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum { LANES = HF_LANE_COUNT, BLOCK = 64, GROUP = 96 };

typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes32 __attribute__((vector_size(4 * LANES)));

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t START[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

// MARK: the lanes

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
#define INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define PAIRS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define PAIRS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define HALVES_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HALVES_HIGH(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

/// Reads 32 bytes of each lane: w[i] becomes word i of every lane, in the processor's order of bytes.
__attribute__((always_inline)) static inline void load(words w[8], const uint8_t *const at[LANES], size_t offset) {
    words rows[8], pairs[8], quads[8];
    for (int lane = 0; lane < LANES; lane++) memcpy(&rows[lane], at[lane] + offset, sizeof rows[lane]);
    for (int i = 0; i < 8; i += 2) {
        pairs[i] = INTERLEAVE_LOW(rows[i], rows[i + 1]);
        pairs[i + 1] = INTERLEAVE_HIGH(rows[i], rows[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
        quads[i] = PAIRS_LOW(pairs[i], pairs[i + 2]);
        quads[i + 1] = PAIRS_HIGH(pairs[i], pairs[i + 2]);
        quads[i + 2] = PAIRS_LOW(pairs[i + 1], pairs[i + 3]);
        quads[i + 3] = PAIRS_HIGH(pairs[i + 1], pairs[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        w[i] = HALVES_LOW(quads[i], quads[i + 4]);
        w[i + 4] = HALVES_HIGH(quads[i], quads[i + 4]);
    }
    for (int i = 0; i < 8; i++) {
        bytes32 b = (bytes32)w[i];
        w[i] = (words)__builtin_shufflevector(
            b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31,
            30, 29, 28);
    }
}

/// Advances every lane by `blocks` blocks. `state[i]` is word i of the eight states.
__attribute__((always_inline)) static inline void advance(words state[8], const uint8_t *at[LANES], size_t blocks) {
    words a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (; blocks > 0; blocks--) {
        words w[16];
        load(w, at, 0);
        load(w + 8, at, 32);
        for (int round = 0; round < 64; round += 16) {
#pragma clang loop unroll(full)
            for (int i = 0; i < 16; i++) {
                if (round > 0) {
                    words x = w[(i + 1) & 15], y = w[(i + 14) & 15];
                    w[i] += (ROTATE(x, 7) ^ ROTATE(x, 18) ^ x >> 3) + w[(i + 9) & 15]
                            + (ROTATE(y, 17) ^ ROTATE(y, 19) ^ y >> 10);
                }
                words first = h + (ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25)) + ((e & f) ^ (~e & g)) + (w[i] + K[round + i]);
                words second = (ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
                h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
            }
        }
        a = state[0] += a, b = state[1] += b, c = state[2] += c, d = state[3] += d;
        e = state[4] += e, f = state[5] += f, g = state[6] += g, h = state[7] += h;
        for (int lane = 0; lane < LANES; lane++) at[lane] += BLOCK;
    }
}

typedef void (*advance_function)(words *state, const uint8_t **at, size_t blocks);

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void advance_avx2(words *state, const uint8_t **at, size_t blocks) {
    advance(state, at, blocks);
}

/// 32 registers, a rotation in one instruction, three operands of logic in one: no wider than AVX2, so that the clock stays.
__attribute__((target("avx2,avx512f,avx512vl,avx512bw,prefer-256-bit"))) static void advance_avx512(
    words *state, const uint8_t **at, size_t blocks) {
    advance(state, at, blocks);
}

static bool has_sha_instructions(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}
#endif

static advance_function best, widest;

static void choose(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
        widest = advance_avx512;
    } else if (__builtin_cpu_supports("avx2")) {
        widest = advance_avx2;
    }
    best = has_sha_instructions() ? NULL : widest;
#endif
}

// MARK: chains

hf_sha256_chain hf_sha256_chain_start(void) {
    hf_sha256_chain chain = { .count = 0 };
    memcpy(chain.state, START, sizeof chain.state);
    return chain;
}

/// The plain form, going on from a chain.
static SHA256_CTX continued(const hf_sha256_chain *chain) {
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (int i = 0; i < 8; i++) hash.h[i] = chain->state[i];
    hash.Nl = (SHA_LONG)(chain->count << 3);
    hash.Nh = (SHA_LONG)(chain->count >> 29);
    return hash;
}

void hf_sha256_chain_finish(const hf_sha256_chain *chain, const uint8_t *bytes, size_t count, uint8_t *digest) {
    SHA256_CTX hash = continued(chain);
    if (count > 0) SHA256_Update(&hash, bytes, count);
    SHA256_Final(digest, &hash);
}

// MARK: messages

/// A message in its lane: whole blocks of its own first, then, unless it goes on later, the one or two blocks that hold its end
/// and its length.
typedef struct {
    hf_sha256_message *message;
    const uint8_t *at;
    size_t blocks;          // left where `at` points
    bool is_last;           // nothing follows these blocks: `at` points into `end`, or the message goes on later
    uint8_t end[2 * BLOCK];
} lane_state;

static void turn_to_end(lane_state *lane) {
    const hf_sha256_message *message = lane->message;
    size_t rest = message->count % BLOCK;
    lane->blocks = rest < BLOCK - 8 ? 1 : 2;
    lane->is_last = true;
    lane->at = lane->end;
    memset(lane->end, 0, sizeof lane->end);
    if (rest > 0) memcpy(lane->end, message->bytes + (message->count - rest), rest);
    lane->end[rest] = 0x80;
    uint64_t bits = (uint64_t)message->count << 3;
    for (int i = 0; i < 8; i++) lane->end[lane->blocks * BLOCK - 1 - i] = (uint8_t)(bits >> (8 * i));
}

static void put_in(lane_state *lane, hf_sha256_message *message) {
    lane->message = message;
    lane->at = message->bytes;
    lane->blocks = message->count / BLOCK;
    lane->is_last = message->chain != NULL;
    if (lane->blocks == 0 && !lane->is_last) turn_to_end(lane);
}

static void deliver(const hf_sha256_message *message, const uint32_t h[8]) {
    if (message->chain != NULL) {
        memcpy(message->chain->state, h, sizeof message->chain->state);
        message->chain->count += message->count;
        return;
    }
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) message->digest[4 * i + j] = (uint8_t)(h[i] >> (24 - 8 * j));
    }
}

/// Goes on with one lane alone, where the plain form is faster.
static void finish_alone(lane_state *lane, const words state[8], int number) {
    SHA256_CTX hash;
    SHA256_Init(&hash);
    for (int i = 0; i < 8; i++) hash.h[i] = state[i][number];
    if (!lane->is_last) {
        SHA256_Update(&hash, lane->at, lane->blocks * BLOCK);
        turn_to_end(lane);
    }
    for (; lane->blocks > 0; lane->blocks--, lane->at += BLOCK) SHA256_Transform(&hash, lane->at);
    uint32_t h[8];
    for (int i = 0; i < 8; i++) h[i] = hash.h[i];
    deliver(lane->message, h);
}

static void hash_alone(const hf_sha256_message *message) {
    hf_sha256_chain start = message->chain != NULL ? *message->chain : hf_sha256_chain_start();
    if (message->chain == NULL) return hf_sha256_chain_finish(&start, message->bytes, message->count, message->digest);
    SHA256_CTX hash = continued(&start);
    if (message->count > 0) SHA256_Update(&hash, message->bytes, message->count);
    uint32_t h[8];
    for (int i = 0; i < 8; i++) h[i] = hash.h[i];
    deliver(message, h);
}

/// The messages of one group, long ones first, so that the lanes end about together.
static void sort(hf_sha256_message *messages, size_t count, hf_sha256_message **order) {
    for (size_t i = 0; i < count; i++) {
        size_t place = i;
        for (; place > 0 && order[place - 1]->count < messages[i].count; place--) order[place] = order[place - 1];
        order[place] = &messages[i];
    }
}

static void hash_group(hf_sha256_message *messages, size_t count, advance_function advance) {
    hf_sha256_message *order[GROUP];
    sort(messages, count, order);
    words state[8] = { { 0 } };
    lane_state lanes[LANES];
    size_t next = 0, busy = 0;
    for (int i = 0; i < LANES; i++) lanes[i].message = NULL;
    for (;;) {
        size_t blocks = SIZE_MAX;
        int some = 0;
        for (int i = 0; i < LANES; i++) {
            if (lanes[i].message == NULL && next < count) {
                put_in(&lanes[i], order[next++]);
                const uint32_t *from = lanes[i].message->chain != NULL ? lanes[i].message->chain->state : START;
                for (int word = 0; word < 8; word++) state[word][i] = from[word];
                busy++;
            }
            if (lanes[i].message == NULL) continue;
            some = i;
            if (lanes[i].blocks < blocks) blocks = lanes[i].blocks;
        }
        if (busy == 0) return;
        if (busy == 1) return finish_alone(&lanes[some], state, some);
        const uint8_t *at[LANES];
        // A lane without a message reads another's bytes; nothing of its state is used.
        for (int i = 0; i < LANES; i++) at[i] = lanes[lanes[i].message == NULL ? some : i].at;
        advance(state, at, blocks);
        for (int i = 0; i < LANES; i++) {
            lane_state *lane = &lanes[i];
            if (lane->message == NULL) continue;
            lane->at = at[i];
            lane->blocks -= blocks;
            if (lane->blocks > 0) continue;
            if (!lane->is_last) {
                turn_to_end(lane);
                continue;
            }
            uint32_t h[8];
            for (int word = 0; word < 8; word++) h[word] = state[word][i];
            deliver(lane->message, h);
            lane->message = NULL;
            busy--;
        }
    }
}

void hf_sha256_many(hf_sha256_message *messages, size_t count, enum hf_lanes lanes) {
    static pthread_once_t chosen = PTHREAD_ONCE_INIT;
    pthread_once(&chosen, choose);
    advance_function advance = lanes == HF_LANES_BEST ? best : lanes == HF_LANES_WIDE ? widest : NULL;
    while (count > 0) {
        size_t group = count < GROUP ? count : GROUP;
        if (advance != NULL && group > 1) {
            hash_group(messages, group, advance);
        } else {
            for (size_t i = 0; i < group; i++) hash_alone(&messages[i]);
        }
        messages += group;
        count -= group;
    }
}

bool hf_sha256_has_lanes(void) {
    static pthread_once_t chosen = PTHREAD_ONCE_INIT;
    pthread_once(&chosen, choose);
    return best != NULL;
}
