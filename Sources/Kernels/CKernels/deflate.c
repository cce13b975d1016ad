// zlib's raw deflate and CRC-32 behind handles, for zip archives.
#include "CKernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

struct hf_deflater {
    z_stream stream;
};

static void require(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "holdfast: zlib failed: %s\n", what);
    abort();
}

hf_deflater *hf_deflater_new(void) {
    hf_deflater *deflater = calloc(1, sizeof *deflater);
    require(deflater != NULL, "no memory");
    // A negative window size leaves out zlib's own header and checksum.
    int result = deflateInit2(&deflater->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    require(result == Z_OK, "no memory");
    return deflater;
}

void hf_deflater_free(hf_deflater *deflater) {
    deflateEnd(&deflater->stream);
    free(deflater);
}

void hf_deflater_reset(hf_deflater *deflater) {
    require(deflateReset(&deflater->stream) == Z_OK, "the stream is damaged");
}

bool hf_deflate(
    hf_deflater *deflater, const void *source, size_t *source_count, void *target, size_t *target_count, bool is_last) {
    z_stream *stream = &deflater->stream;
    stream->next_in = (Bytef *)source;
    stream->avail_in = (uInt)*source_count;
    stream->next_out = target;
    stream->avail_out = (uInt)*target_count;
    int result = deflate(stream, is_last ? Z_FINISH : Z_NO_FLUSH);
    require(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "the stream is damaged");
    *source_count -= stream->avail_in;
    *target_count -= stream->avail_out;
    return result == Z_STREAM_END;
}

uint32_t hf_crc32(uint32_t crc, const void *bytes, size_t count) { return (uint32_t)crc32_z(crc, bytes, count); }
