# purpose: an index of millions of blobs for a repository, as years of backups would leave it: sealed and compressed by the system's libraries
# use:     forge(REPO, key, blobs=10_000_000)      the packs that it names do not exist; `key` from resticfile.open_master
# needs:   libcrypto.so.3 and libzstd.so.1 through ctypes; 600 MB of disk for ten million blobs
import ctypes, hashlib, os, random

from . import resticfile

PER_FILE, PER_PACK, SEED = 50_000, 250, 7
crypto, zstd = ctypes.CDLL("libcrypto.so.3"), ctypes.CDLL("libzstd.so.1")
for name in ("EVP_aes_256_ctr", "EVP_CIPHER_CTX_new", "EVP_MAC_fetch", "EVP_MAC_CTX_new"):
    getattr(crypto, name).restype = ctypes.c_void_p
zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = ctypes.c_size_t


def compress(plain):
    room = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(plain))))
    count = zstd.ZSTD_compress(room, ctypes.c_size_t(len(room)), plain, ctypes.c_size_t(len(plain)), 3)
    return room.raw[:count]


def encrypt(key, iv, plain):
    context, out, count = crypto.EVP_CIPHER_CTX_new(), ctypes.create_string_buffer(len(plain)), ctypes.c_int()
    crypto.EVP_EncryptInit_ex(ctypes.c_void_p(context), ctypes.c_void_p(crypto.EVP_aes_256_ctr()), None, key, iv)
    crypto.EVP_EncryptUpdate(ctypes.c_void_p(context), out, ctypes.byref(count), plain, len(plain))
    crypto.EVP_CIPHER_CTX_free(ctypes.c_void_p(context))
    return out.raw


def tag(key, iv, data):
    """Poly1305 with a pad that AES makes of the IV"""
    pad = resticfile.encrypt_block(resticfile.expand(key["k"]), iv)
    mac = crypto.EVP_MAC_CTX_new(ctypes.c_void_p(crypto.EVP_MAC_fetch(None, b"POLY1305", None)))
    out, count = ctypes.create_string_buffer(16), ctypes.c_size_t()
    crypto.EVP_MAC_init(ctypes.c_void_p(mac), key["r"] + pad, ctypes.c_size_t(32), None)
    crypto.EVP_MAC_update(ctypes.c_void_p(mac), data, ctypes.c_size_t(len(data)))
    crypto.EVP_MAC_final(ctypes.c_void_p(mac), out, ctypes.byref(count), ctypes.c_size_t(16))
    crypto.EVP_MAC_CTX_free(ctypes.c_void_p(mac))
    return out.raw


def seal(key, plain):
    iv = os.urandom(16)
    body = encrypt(key["encrypt"], iv, plain)
    return iv + body + tag(key, iv, body)


def document(generator, blobs):
    packs = []
    for _ in range(0, blobs, PER_PACK):
        offset, entries = 0, []
        for number in range(PER_PACK):
            length, kind = 60_000 + number * 37, "tree" if number % 50 == 0 else "data"
            entries.append('{"id":"%064x","type":"%s","offset":%d,"length":%d,"uncompressed_length":%d}'
                           % (generator.getrandbits(256), kind, offset, length, length * 2))
            offset += length
        packs.append('{"id":"%064x","blobs":[%s]}' % (generator.getrandbits(256), ",".join(entries)))
    return ('{"packs":[' + ",".join(packs) + "]}").encode()


def forge(repository, key, blobs):
    """adds index files for that many blobs; the same number gives the same blobs"""
    generator = random.Random(SEED)
    for _ in range(0, blobs, PER_FILE):
        sealed = seal(key, b"\2" + compress(document(generator, PER_FILE)))
        resticfile.write(os.path.join(repository, "index", hashlib.sha256(sealed).hexdigest()), sealed)
