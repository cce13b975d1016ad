// The narrow C face of libcrypto and libzstd, and the kernels that want plain C to be fast (also in debug builds).
//
// Rules: no allocation by a claimed length; every pointer is borrowed for the call; handles belong to one task at a time.
// A failure of the libraries themselves (no memory, no provider) stops the process: a wrong hash is worse than none.
#ifndef HOLDFAST_CKERNELS_H
#define HOLDFAST_CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: SHA-256 (libcrypto)

typedef struct hf_sha256 hf_sha256;

/// A fresh hash; free it with `hf_sha256_free`.
hf_sha256 *hf_sha256_new(void);
void hf_sha256_free(hf_sha256 *hash);
void hf_sha256_update(hf_sha256 *hash, const void *_Nullable bytes, size_t count);
/// Writes 32 bytes and starts anew.
void hf_sha256_finish(hf_sha256 *hash, uint8_t *digest);

/// A long message that comes in pieces: the state after `count` bytes, which are whole blocks of 64.
typedef struct {
    uint32_t state[8];
    uint64_t count;
} hf_sha256_chain;

/// The chain of no bytes.
hf_sha256_chain hf_sha256_chain_start(void);
/// Writes the 32 bytes of digest of the chain followed by `count` bytes, of any number.
void hf_sha256_chain_finish(const hf_sha256_chain *chain, const uint8_t *_Nullable bytes, size_t count, uint8_t *digest);

/// One of several messages: whole ones have a `digest`, to which 32 bytes are written; the next piece of a long one has a
/// `chain` instead, which advances by `count` bytes, a multiple of 64.
typedef struct {
    const uint8_t *_Nullable bytes;
    size_t count;
    uint8_t *_Nullable digest;
    hf_sha256_chain *_Nullable chain;
} hf_sha256_message;

/// Messages that wide registers advance in step.
enum { HF_LANE_COUNT = 8 };

/// What computes: the processor's best, wide lanes whatever else there is, or one message after the other.
enum hf_lanes { HF_LANES_BEST = 0, HF_LANES_WIDE = 1, HF_LANES_PLAIN = 2 };

/// Hashes all messages.
void hf_sha256_many(hf_sha256_message *messages, size_t count, enum hf_lanes lanes);
/// Whether several messages at a time are faster here than one after the other.
bool hf_sha256_has_lanes(void);

// MARK: AES-256-CTR with Poly1305-AES, restic's message format (libcrypto)

typedef struct hf_cipher hf_cipher;

/// `encrypt` 32 bytes, `k` 16, `r` 16 (unclamped); free it with `hf_cipher_free`, which wipes the expanded keys.
hf_cipher *hf_cipher_new(const uint8_t *encrypt, const uint8_t *k, const uint8_t *r);
void hf_cipher_free(hf_cipher *cipher);
/// Writes IV || ciphertext || MAC (count + 32 bytes) to `sealed`, which may hold `plain` at sealed + 16 and nowhere else.
void hf_cipher_seal(hf_cipher *cipher, const uint8_t *iv, const uint8_t *_Nullable plain, size_t count, uint8_t *sealed);
/// Checks the MAC of `count` >= 32 bytes in constant time, then writes count - 32 bytes; false and nothing written if it is wrong.
bool hf_cipher_open(hf_cipher *cipher, const uint8_t *sealed, size_t count, uint8_t *_Nullable plain);
/// Whether the MAC of at least 32 sealed bytes is right; constant time.
bool hf_cipher_is_authentic(hf_cipher *cipher, const uint8_t *sealed, size_t count);

/// scrypt; false when the library refuses the parameters or the memory.
bool hf_scrypt(
    const uint8_t *password, size_t password_count, const uint8_t *salt, size_t salt_count, uint64_t n, uint64_t r,
    uint64_t p, uint64_t memory_limit, uint8_t *key, size_t key_count);

// MARK: What a vault's keys and texts are made with (libcrypto, libargon2)

/// PBKDF2 with HMAC-SHA-256; counts below 2 GiB, `iterations` at least 1.
void hf_pbkdf2_sha256(
    const uint8_t *_Nullable password, size_t password_count, const uint8_t *_Nullable salt, size_t salt_count,
    uint32_t iterations, uint8_t *key, size_t key_count);
/// Writes the 32 bytes of HMAC-SHA-256; the key has less than 2 GiB.
void hf_hmac_sha256(
    const uint8_t *_Nullable key, size_t key_count, const uint8_t *_Nullable bytes, size_t count, uint8_t *mac);

/// Writes the 16 bytes of MD5, a checksum that network storage asks for and nothing here trusts; false where this system's
/// policy forbids it.
bool hf_md5(const void *_Nullable bytes, size_t count, uint8_t *digest);

/// Argon2id, version 1.3, computed on the calling thread.
typedef struct {
    const uint8_t *_Nullable password, *_Nullable salt, *_Nullable secret, *_Nullable data;
    uint32_t password_count, salt_count, secret_count, data_count;
    uint32_t passes, memory_kib, lanes;
} hf_argon2_input;
/// False when the library refuses the parameters or the memory.
bool hf_argon2id(const hf_argon2_input *input, uint8_t *key, uint32_t key_count);

/// AES-256-CBC with PKCS#7: writes up to count + 16 bytes and returns how many.
size_t hf_cbc_seal(const uint8_t *key, const uint8_t *iv, const uint8_t *_Nullable plain, size_t count, uint8_t *sealed);
/// The opposite: `plain` has room for `count` bytes; false when the length or the padding is wrong. Only behind a MAC.
bool hf_cbc_open(
    const uint8_t *key, const uint8_t *iv, const uint8_t *_Nullable sealed, size_t count, uint8_t *plain,
    size_t *plain_count);

typedef struct hf_rsa hf_rsa;
/// A private RSA key of 2048 to 4096 bits in PKCS#8 DER, or null. Free it with `hf_rsa_free`, which wipes it.
hf_rsa *_Nullable hf_rsa_new(const uint8_t *der, size_t count);
void hf_rsa_free(hf_rsa *rsa);
/// Opens a message of OAEP with SHA-1, or SHA-256, for digest and mask; `plain` has room for `plain_count` bytes, at least as many
/// as the modulus, and gets the length. False when it is no message for this key.
bool hf_rsa_oaep_open(
    hf_rsa *rsa, bool is_sha256, const uint8_t *_Nullable sealed, size_t count, uint8_t *plain, size_t *plain_count);
/// Whether two messages of the same length are equal; constant time.
bool hf_is_equal(const void *left, const void *right, size_t count);

/// Overwrites memory in a way the optimiser keeps.
void hf_wipe(void *bytes, size_t count);

// MARK: Rabin fingerprint

/// The smallest length L in from...to for which the fingerprint of bytes[L - 64 ..< L] has no bit of `mask`, or 0.
/// `tables`: 256 words b * x^512 mod P, then 256 words (b * x^53 mod P) | b << 53. `from` is at least 64.
size_t hf_rabin_find(const uint64_t *tables, const uint8_t *bytes, size_t from, size_t to, uint64_t mask);

// MARK: zstd (libzstd)

typedef struct hf_compressor hf_compressor;
typedef struct hf_decompressor hf_decompressor;

enum { HF_ZSTD_OK = 0, HF_ZSTD_NO_ROOM = 1, HF_ZSTD_DAMAGED = 2, HF_ZSTD_NO_MEMORY = 3, HF_ZSTD_OTHER = 4 };

/// Settings of libzstd; every field but `level` may be 0, which leaves it to the level.
typedef struct {
    int level, strategy, window_log, hash_log, chain_log, min_match;
} hf_zstd_settings;

/// Frames carry the content size, no checksum, no dictionary. Free it with `hf_compressor_free`.
hf_compressor *hf_compressor_new(hf_zstd_settings settings);
void hf_compressor_free(hf_compressor *compressor);
size_t hf_compress_bound(size_t count);
/// Returns the frame's length, or 0 with `status` set.
size_t hf_compress(
    hf_compressor *compressor, const void *_Nullable source, size_t count, void *target, size_t capacity, int *status);

hf_decompressor *hf_decompressor_new(void);
void hf_decompressor_free(hf_decompressor *decompressor);
/// Decodes the one frame in source[0 ..< count] and returns the plain length, or 0 with `status` set.
size_t hf_decompress(
    hf_decompressor *decompressor, const void *source, size_t count, void *_Nullable target, size_t capacity,
    int *status);
/// The length of the first frame in `source`, walking its block headers only; 0 when it is cut short or damaged.
size_t hf_frame_length(const void *source, size_t count);
/// The version of the linked library, "1.5.4".
const char *hf_zstd_version(void);

// MARK: deflate (zlib)

typedef struct hf_deflater hf_deflater;

/// Raw deflate as zip archives hold it. Free it with `hf_deflater_free`.
hf_deflater *hf_deflater_new(void);
void hf_deflater_free(hf_deflater *deflater);
/// Starts a new stream.
void hf_deflater_reset(hf_deflater *deflater);
/// Takes from `source` and fills `target`; the counts, below 4 GiB, become what was used. True when the last byte of the
/// stream is out, which only happens when `is_last` says that no more will come.
bool hf_deflate(
    hf_deflater *deflater, const void *_Nullable source, size_t *source_count, void *target, size_t *target_count,
    bool is_last);
/// The CRC-32 of zip and gzip, going on from `crc`, which is 0 at the start.
uint32_t hf_crc32(uint32_t crc, const void *_Nullable bytes, size_t count);

// MARK: Places in text

/// The index behind the bracket that closes the JSON object which is open at `start`, or 0 when it does not end or more than
/// `depth_max` brackets are open. Looks at nothing but brackets outside of strings; `is_plain` takes one byte at a time.
size_t hf_json_object_end(const uint8_t *bytes, size_t count, size_t start, size_t depth_max, bool is_plain);
/// Where `word`, which is not empty, begins at or behind `start`; `count` when nowhere.
size_t hf_find(const uint8_t *bytes, size_t count, size_t start, const uint8_t *word, size_t length);

// MARK: Compressibility

/// True when a sample looks as dense as random bytes and repeats nothing; false when in doubt.
bool hf_looks_incompressible(const uint8_t *bytes, size_t count);

#pragma clang assume_nonnull end
#endif
