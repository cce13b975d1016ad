// What a Bitwarden-compatible vault derives keys with and wraps them in: PBKDF2, Argon2id, HMAC, AES-256-CBC, RSA-OAEP.
#include "CKernels.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "holdfast: libcrypto failed: %s\n", what);
    abort();
}

/// As in crypto.c: no configuration file, no clean-up at exit. Calls after the first cost nothing.
static void prepare(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL); }

void hf_pbkdf2_sha256(
    const uint8_t *password, size_t password_count, const uint8_t *salt, size_t salt_count, uint32_t iterations,
    uint8_t *key, size_t key_count) {
    prepare();
    // A null password means "no password" to the library, with a length of -1 in mind.
    const char *text = password_count == 0 ? "" : (const char *)password;
    require(
        PKCS5_PBKDF2_HMAC(
            text, (int)password_count, salt, (int)salt_count, (int)iterations, EVP_sha256(), (int)key_count, key) == 1,
        "PBKDF2");
}

void hf_hmac_sha256(const uint8_t *key, size_t key_count, const uint8_t *bytes, size_t count, uint8_t *mac) {
    prepare();
    unsigned length = 0;
    const void *start = key_count == 0 ? (const void *)"" : key;
    require(HMAC(EVP_sha256(), start, (int)key_count, bytes, count, mac, &length) != NULL && length == 32, "HMAC");
}

bool hf_argon2id(const hf_argon2_input *input, uint8_t *key, uint32_t key_count) {
    argon2_context context = {
        .out = key,
        .outlen = key_count,
        .pwd = (uint8_t *)input->password,
        .pwdlen = input->password_count,
        .salt = (uint8_t *)input->salt,
        .saltlen = input->salt_count,
        .secret = (uint8_t *)input->secret,
        .secretlen = input->secret_count,
        .ad = (uint8_t *)input->data,
        .adlen = input->data_count,
        .t_cost = input->passes,
        .m_cost = input->memory_kib,
        .lanes = input->lanes,
        // One thread computes the lanes one after the other: the result is the same, and no thread can be refused.
        .threads = 1,
        .version = ARGON2_VERSION_13,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    return argon2id_ctx(&context) == ARGON2_OK;
}

size_t hf_cbc_seal(const uint8_t *key, const uint8_t *iv, const uint8_t *plain, size_t count, uint8_t *sealed) {
    prepare();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0, last = 0;
    require(context != NULL, "no memory");
    require(EVP_EncryptInit_ex2(context, EVP_aes_256_cbc(), key, iv, NULL) == 1, "AES-256-CBC key");
    require(EVP_EncryptUpdate(context, sealed, &written, plain, (int)count) == 1, "AES-256-CBC");
    require(EVP_EncryptFinal_ex(context, sealed + written, &last) == 1, "AES-256-CBC padding");
    EVP_CIPHER_CTX_free(context);
    return (size_t)written + (size_t)last;
}

bool hf_cbc_open(
    const uint8_t *key, const uint8_t *iv, const uint8_t *sealed, size_t count, uint8_t *plain, size_t *plain_count) {
    prepare();
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0, last = 0;
    require(context != NULL, "no memory");
    require(EVP_DecryptInit_ex2(context, EVP_aes_256_cbc(), key, iv, NULL) == 1, "AES-256-CBC key");
    bool opened = EVP_DecryptUpdate(context, plain, &written, sealed, (int)count) == 1
        && EVP_DecryptFinal_ex(context, plain + written, &last) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    *plain_count = opened ? (size_t)written + (size_t)last : 0;
    return opened;
}

struct hf_rsa {
    EVP_PKEY *key;
};

hf_rsa *hf_rsa_new(const uint8_t *der, size_t count) {
    prepare();
    const unsigned char *position = der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &position, (long)count);
    EVP_PKEY *key = info != NULL && position == der + count ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    if (key == NULL) return NULL;
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || bits < 2048 || bits > 4096) {
        EVP_PKEY_free(key);
        return NULL;
    }
    hf_rsa *rsa = malloc(sizeof *rsa);
    require(rsa != NULL, "no memory");
    rsa->key = key;
    return rsa;
}

void hf_rsa_free(hf_rsa *rsa) {
    EVP_PKEY_free(rsa->key);
    free(rsa);
}

bool hf_rsa_oaep_open(
    hf_rsa *rsa, bool is_sha256, const uint8_t *sealed, size_t count, uint8_t *plain, size_t *plain_count) {
    const EVP_MD *digest = is_sha256 ? EVP_sha256() : EVP_sha1();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rsa->key, NULL);
    require(context != NULL, "no memory");
    bool opened = EVP_PKEY_decrypt_init(context) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1
        && EVP_PKEY_decrypt(context, plain, plain_count, sealed, count) == 1;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return opened;
}

bool hf_is_equal(const void *left, const void *right, size_t count) { return CRYPTO_memcmp(left, right, count) == 0; }
