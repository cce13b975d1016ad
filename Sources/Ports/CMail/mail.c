#define _GNU_SOURCE
#define CURL_DISABLE_DEPRECATION
#define CURL_DISABLE_TYPECHECK
#include "CMail.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct library {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

struct connection {
    struct library curl;
    CURL *easy;
    struct curl_slist *to;
    const struct cmail_request *request;
    struct timespec end;
    size_t sent;
    int reply;
};

static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static int is_initialized;

// Never closed again; opening what is open only counts. A machine that gets the library later needs no new start.
static int open_library(const char *name, struct library *curl) {
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return 0;
    *(void **)&curl->global_init = dlsym(handle, "curl_global_init");
    *(void **)&curl->easy_init = dlsym(handle, "curl_easy_init");
    *(void **)&curl->easy_setopt = dlsym(handle, "curl_easy_setopt");
    *(void **)&curl->easy_perform = dlsym(handle, "curl_easy_perform");
    *(void **)&curl->easy_getinfo = dlsym(handle, "curl_easy_getinfo");
    *(void **)&curl->easy_cleanup = dlsym(handle, "curl_easy_cleanup");
    *(void **)&curl->slist_append = dlsym(handle, "curl_slist_append");
    *(void **)&curl->slist_free_all = dlsym(handle, "curl_slist_free_all");
    if (!curl->global_init || !curl->easy_init || !curl->easy_setopt || !curl->easy_perform || !curl->easy_getinfo
        || !curl->easy_cleanup || !curl->slist_append || !curl->slist_free_all)
        return 0;
    pthread_mutex_lock(&opening);
    if (!is_initialized) is_initialized = curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    int is_ready = is_initialized;
    pthread_mutex_unlock(&opening);
    return is_ready;
}

static size_t give(char *buffer, size_t size, size_t count, void *context) {
    struct connection *connection = context;
    size_t left = connection->request->message_size - connection->sent;
    size_t part = size * count < left ? size * count : left;
    memcpy(buffer, connection->request->message + connection->sent, part);
    connection->sent += part;
    return part;
}

// One line of the server: "550 5.1.1 no such user". Only its number is kept.
static size_t hear(char *line, size_t size, size_t count, void *context) {
    struct connection *connection = context;
    size_t length = size * count;
    if (length >= 3 && line[0] >= '4' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' && line[2] >= '0' && line[2] <= '9')
        connection->reply = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    return length;
}

static size_t drop(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

static int is_late(const struct connection *connection) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > connection->end.tv_sec || (now.tv_sec == connection->end.tv_sec && now.tv_nsec >= connection->end.tv_nsec);
}

// libcurl's own deadline does not cover its farewell after a refusal; this one does.
static int look(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    struct connection *connection = context;
    return is_late(connection) || connection->request->is_over(connection->request->context);
}

static CURLcode prepare(struct connection *connection) {
    const struct cmail_request *request = connection->request;
    const struct library *curl = &connection->curl;
    CURL *easy = connection->easy;
    CURLcode code = CURLE_OK;
#define SET(option, value) do { if (code == CURLE_OK) code = curl->easy_setopt(easy, option, value); } while (0)
    SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_SMTP | CURLPROTO_SMTPS));
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_PROXY, ""); // not what the environment names
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_USE_SSL, (long)(request->must_start_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (request->certificates) {
        SET(CURLOPT_CAINFO, request->certificates);
        SET(CURLOPT_CAPATH, (char *)NULL);
    }
    if (request->user) {
        SET(CURLOPT_USERNAME, request->user);
        SET(CURLOPT_PASSWORD, request->password ? request->password : "");
    }
    SET(CURLOPT_MAIL_FROM, request->from);
    SET(CURLOPT_MAIL_RCPT, connection->to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, connection);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->message_size);
    SET(CURLOPT_HEADERFUNCTION, hear);
    SET(CURLOPT_HEADERDATA, connection);
    SET(CURLOPT_WRITEFUNCTION, drop);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, look);
    SET(CURLOPT_XFERINFODATA, connection);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_milliseconds);
    SET(CURLOPT_TIMEOUT_MS, request->deadline_milliseconds);
    SET(CURLOPT_SERVER_RESPONSE_TIMEOUT, request->deadline_milliseconds / 1000 + 1);
#undef SET
#if LIBCURL_VERSION_NUM >= 0x075700
    // Does not wait for a thread that still asks for a name; older libraries do not know the word, and that is no failure.
    (void)curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    return code;
}

static enum cmail_outcome outcome(CURLcode code) {
    switch (code) {
    case CURLE_OK: return CMAIL_SENT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION: return CMAIL_NO_SMTP;
    case CURLE_ABORTED_BY_CALLBACK: return CMAIL_STOPPED;
    case CURLE_OPERATION_TIMEDOUT: return CMAIL_LATE;
    case CURLE_COULDNT_RESOLVE_HOST: return CMAIL_UNKNOWN_NAME;
    case CURLE_COULDNT_CONNECT: return CMAIL_NO_CONNECTION;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM: return CMAIL_UNTRUSTED;
    case CURLE_SSL_CACERT_BADFILE: return CMAIL_BAD_CERTIFICATE_FILE;
    case CURLE_USE_SSL_FAILED: return CMAIL_NO_STARTTLS;
    case CURLE_SSL_CONNECT_ERROR: return CMAIL_NO_TLS;
    case CURLE_LOGIN_DENIED: return CMAIL_LOGIN;
    default: return CMAIL_OTHER;
    }
}

// A connection that breaks under TLS raises SIGPIPE in this thread; the program's own handling of the signal is not ours to change.
static int hold_sigpipe(sigset_t *before) {
    sigset_t pipe, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, before);
    return sigismember(&pending, SIGPIPE);
}

static void release_sigpipe(int was_pending, const sigset_t *before) {
    sigset_t pipe;
    struct timespec now = {0, 0};
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    if (!was_pending)
        while (sigtimedwait(&pipe, NULL, &now) > 0) {}
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

// The last word is said and its answer not awaited: the message has been taken or not, and a server may be slow to say goodbye.
static void close_connection(struct connection *connection) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (connection->curl.easy_getinfo(connection->easy, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
        shutdown(socket, SHUT_RD);
    connection->curl.easy_cleanup(connection->easy);
}

static void perform(struct connection *connection, struct cmail_result *result) {
    CURLcode code = prepare(connection);
    if (code == CURLE_OK) code = connection->curl.easy_perform(connection->easy);
    result->outcome = outcome(code);
    if (result->outcome == CMAIL_STOPPED && is_late(connection)) result->outcome = CMAIL_LATE;
    result->reply = connection->reply;
    long error = 0;
    if (code == CURLE_COULDNT_CONNECT && connection->curl.easy_getinfo(connection->easy, CURLINFO_OS_ERRNO, &error) == CURLE_OK)
        result->error = (int)error;
    close_connection(connection);
}

struct cmail_result cmail_send(const struct cmail_request *request) {
    struct cmail_result result = {.outcome = CMAIL_NO_LIBRARY};
    struct connection connection = {.request = request};
    if (!open_library(request->library, &connection.curl)) return result;
    clock_gettime(CLOCK_MONOTONIC, &connection.end);
    connection.end.tv_sec += request->deadline_milliseconds / 1000;
    result.outcome = CMAIL_OTHER;
    for (size_t index = 0; index < request->to_count; index++) {
        struct curl_slist *longer = connection.curl.slist_append(connection.to, request->to[index]);
        if (!longer) goto end;
        connection.to = longer;
    }
    if ((connection.easy = connection.curl.easy_init())) {
        sigset_t before;
        int was_pending = hold_sigpipe(&before);
        perform(&connection, &result);
        release_sigpipe(was_pending, &before);
    }
end:
    connection.curl.slist_free_all(connection.to);
    return result;
}
