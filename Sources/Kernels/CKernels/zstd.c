// libzstd behind handles: parameters are set once, a blob costs one call. Stable API only (no static-linking section).
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "holdfast: libzstd failed: %s\n", what);
    abort();
}

struct hf_compressor {
    ZSTD_CCtx *context;
};

struct hf_decompressor {
    ZSTD_DCtx *context;
};

static void set(ZSTD_CCtx *context, ZSTD_cParameter parameter, int value) {
    // For all parameters that are left to the level, 0 says so.
    require(!ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)), "a parameter is refused");
}

hf_compressor *hf_compressor_new(hf_zstd_settings settings) {
    hf_compressor *compressor = malloc(sizeof *compressor);
    require(compressor != NULL, "no memory");
    compressor->context = ZSTD_createCCtx();
    require(compressor->context != NULL, "no memory");
    set(compressor->context, ZSTD_c_compressionLevel, settings.level);
    set(compressor->context, ZSTD_c_strategy, settings.strategy);
    set(compressor->context, ZSTD_c_windowLog, settings.window_log);
    set(compressor->context, ZSTD_c_hashLog, settings.hash_log);
    set(compressor->context, ZSTD_c_chainLog, settings.chain_log);
    set(compressor->context, ZSTD_c_minMatch, settings.min_match);
    set(compressor->context, ZSTD_c_contentSizeFlag, 1);
    set(compressor->context, ZSTD_c_checksumFlag, 0);
    set(compressor->context, ZSTD_c_dictIDFlag, 0);
    return compressor;
}

void hf_compressor_free(hf_compressor *compressor) {
    ZSTD_freeCCtx(compressor->context);
    free(compressor);
}

size_t hf_compress_bound(size_t count) { return ZSTD_compressBound(count); }

static int status_of(size_t result) {
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_no_error: return HF_ZSTD_OK;
    case ZSTD_error_dstSize_tooSmall: return HF_ZSTD_NO_ROOM;
    case ZSTD_error_memory_allocation: return HF_ZSTD_NO_MEMORY;
    case ZSTD_error_prefix_unknown:
    case ZSTD_error_corruption_detected:
    case ZSTD_error_checksum_wrong:
    case ZSTD_error_srcSize_wrong:
    case ZSTD_error_frameParameter_unsupported:
    case ZSTD_error_frameParameter_windowTooLarge:
    case ZSTD_error_dictionary_corrupted:
    case ZSTD_error_dictionary_wrong: return HF_ZSTD_DAMAGED;
    default: return HF_ZSTD_OTHER;
    }
}

size_t hf_compress(
    hf_compressor *compressor, const void *source, size_t count, void *target, size_t capacity, int *status) {
    size_t result = ZSTD_compress2(compressor->context, target, capacity, source, count);
    *status = status_of(result);
    return *status == HF_ZSTD_OK ? result : 0;
}

hf_decompressor *hf_decompressor_new(void) {
    hf_decompressor *decompressor = malloc(sizeof *decompressor);
    require(decompressor != NULL, "no memory");
    decompressor->context = ZSTD_createDCtx();
    require(decompressor->context != NULL, "no memory");
    return decompressor;
}

void hf_decompressor_free(hf_decompressor *decompressor) {
    ZSTD_freeDCtx(decompressor->context);
    free(decompressor);
}

size_t hf_decompress(
    hf_decompressor *decompressor, const void *source, size_t count, void *target, size_t capacity, int *status) {
    size_t result = ZSTD_decompressDCtx(decompressor->context, target, capacity, source, count);
    *status = status_of(result);
    return *status == HF_ZSTD_OK ? result : 0;
}

size_t hf_frame_length(const void *source, size_t count) {
    size_t result = ZSTD_findFrameCompressedSize(source, count);
    return ZSTD_isError(result) ? 0 : result;
}

const char *hf_zstd_version(void) { return ZSTD_versionString(); }
