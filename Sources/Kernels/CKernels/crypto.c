// libcrypto behind handles: algorithms are fetched once for the process, contexts are set up once for each handle,
// and a message costs a re-init with its IV.
#include "CKernels.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD *sha256_algorithm;
static EVP_CIPHER *aes_256_ctr;
static EVP_CIPHER *aes_128_ecb;
static EVP_MAC *poly1305;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "holdfast: libcrypto failed: %s\n", what);
    abort();
}

static void fetch_algorithms(void) {
    // No configuration file: it could swap the provider below our self-test. No clean-up at exit: workers may still run.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
    sha256_algorithm = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    aes_256_ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
    aes_128_ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
    poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    require(sha256_algorithm && aes_256_ctr && aes_128_ecb && poly1305, "an algorithm is missing");
}

static void prepare(void) { pthread_once(&fetched, fetch_algorithms); }

// MARK: SHA-256

struct hf_sha256 {
    EVP_MD_CTX *context;
};

hf_sha256 *hf_sha256_new(void) {
    prepare();
    hf_sha256 *hash = malloc(sizeof *hash);
    require(hash != NULL, "no memory");
    hash->context = EVP_MD_CTX_new();
    require(hash->context != NULL, "no memory");
    require(EVP_DigestInit_ex2(hash->context, sha256_algorithm, NULL) == 1, "SHA-256 init");
    return hash;
}

void hf_sha256_free(hf_sha256 *hash) {
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hf_sha256_update(hf_sha256 *hash, const void *bytes, size_t count) {
    if (count == 0) return;
    require(EVP_DigestUpdate(hash->context, bytes, count) == 1, "SHA-256 update");
}

void hf_sha256_finish(hf_sha256 *hash, uint8_t *digest) {
    unsigned length = 0;
    require(EVP_DigestFinal_ex(hash->context, digest, &length) == 1 && length == 32, "SHA-256 final");
    require(EVP_DigestInit_ex2(hash->context, NULL, NULL) == 1, "SHA-256 init");
}

// MARK: MD5

bool hf_md5(const void *bytes, size_t count, uint8_t *digest) {
    prepare();
    unsigned int written = 0;
    return EVP_Digest(count ? bytes : "", count, digest, &written, EVP_md5(), NULL) == 1 && written == 16;
}

// MARK: Cipher

/// Encrypted and authenticated in strips, so that the second pass finds the bytes in the cache.
enum { STRIP = 32 << 10 };

struct hf_cipher {
    EVP_CIPHER_CTX *stream;
    EVP_CIPHER_CTX *nonce;
    EVP_MAC_CTX *mac;
    uint8_t r[16];
};

hf_cipher *hf_cipher_new(const uint8_t *encrypt, const uint8_t *k, const uint8_t *r) {
    prepare();
    hf_cipher *cipher = malloc(sizeof *cipher);
    require(cipher != NULL, "no memory");
    cipher->stream = EVP_CIPHER_CTX_new();
    cipher->nonce = EVP_CIPHER_CTX_new();
    cipher->mac = EVP_MAC_CTX_new(poly1305);
    require(cipher->stream && cipher->nonce && cipher->mac, "no memory");
    static const uint8_t zero[16];
    require(EVP_EncryptInit_ex2(cipher->stream, aes_256_ctr, encrypt, zero, NULL) == 1, "AES-256-CTR key");
    require(EVP_EncryptInit_ex2(cipher->nonce, aes_128_ecb, k, NULL, NULL) == 1, "AES-128-ECB key");
    EVP_CIPHER_CTX_set_padding(cipher->nonce, 0);
    memcpy(cipher->r, r, 16);
    return cipher;
}

void hf_cipher_free(hf_cipher *cipher) {
    EVP_CIPHER_CTX_free(cipher->stream);
    EVP_CIPHER_CTX_free(cipher->nonce);
    EVP_MAC_CTX_free(cipher->mac);
    OPENSSL_cleanse(cipher->r, sizeof cipher->r);
    free(cipher);
}

static void start_mac(hf_cipher *cipher, const uint8_t *iv) {
    uint8_t key[32];
    int written = 0;
    memcpy(key, cipher->r, 16);
    require(EVP_EncryptUpdate(cipher->nonce, key + 16, &written, iv, 16) == 1 && written == 16, "Poly1305 nonce");
    require(EVP_MAC_init(cipher->mac, key, sizeof key, NULL) == 1, "Poly1305 init");
    OPENSSL_cleanse(key, sizeof key);
}

static void finish_mac(hf_cipher *cipher, uint8_t *tag) {
    size_t length = 0;
    require(EVP_MAC_final(cipher->mac, tag, &length, 16) == 1 && length == 16, "Poly1305 final");
}

static void start_stream(hf_cipher *cipher, const uint8_t *iv) {
    require(EVP_EncryptInit_ex2(cipher->stream, NULL, NULL, iv, NULL) == 1, "AES-256-CTR IV");
}

static void run_stream(hf_cipher *cipher, const uint8_t *from, uint8_t *to, size_t count) {
    int written = 0;
    require(EVP_EncryptUpdate(cipher->stream, to, &written, from, (int)count) == 1, "AES-256-CTR");
    require((size_t)written == count, "AES-256-CTR length");
}

void hf_cipher_seal(hf_cipher *cipher, const uint8_t *iv, const uint8_t *plain, size_t count, uint8_t *sealed) {
    start_mac(cipher, iv);
    start_stream(cipher, iv);
    memmove(sealed, iv, 16);
    uint8_t *body = sealed + 16;
    for (size_t done = 0; done < count;) {
        size_t strip = count - done < STRIP ? count - done : STRIP;
        run_stream(cipher, plain + done, body + done, strip);
        require(EVP_MAC_update(cipher->mac, body + done, strip) == 1, "Poly1305 update");
        done += strip;
    }
    finish_mac(cipher, body + count);
}

bool hf_cipher_is_authentic(hf_cipher *cipher, const uint8_t *sealed, size_t count) {
    size_t length = count - 32;
    uint8_t tag[16];
    start_mac(cipher, sealed);
    if (length > 0) require(EVP_MAC_update(cipher->mac, sealed + 16, length) == 1, "Poly1305 update");
    finish_mac(cipher, tag);
    return CRYPTO_memcmp(tag, sealed + 16 + length, 16) == 0;
}

bool hf_cipher_open(hf_cipher *cipher, const uint8_t *sealed, size_t count, uint8_t *plain) {
    size_t length = count - 32;
    uint8_t iv[16];
    memcpy(iv, sealed, 16);
    if (!hf_cipher_is_authentic(cipher, sealed, count)) return false;
    start_stream(cipher, iv);
    for (size_t done = 0; done < length;) {
        size_t strip = length - done < (1u << 30) ? length - done : (1u << 30);
        run_stream(cipher, sealed + 16 + done, plain + done, strip);
        done += strip;
    }
    return true;
}

bool hf_scrypt(
    const uint8_t *password, size_t password_count, const uint8_t *salt, size_t salt_count, uint64_t n, uint64_t r,
    uint64_t p, uint64_t memory_limit, uint8_t *key, size_t key_count) {
    prepare();
    return EVP_PBE_scrypt(
               (const char *)password, password_count, salt, salt_count, n, r, p, memory_limit, key, key_count) == 1;
}

void hf_wipe(void *bytes, size_t count) { OPENSSL_cleanse(bytes, count); }
