// One mail through libcurl, which is opened when it is asked for: it is no part of the program and need not be on the machine.
#ifndef CMAIL_H
#define CMAIL_H

#include <stddef.h>
#include <stdint.h>

enum cmail_outcome {
    CMAIL_SENT,
    CMAIL_NO_LIBRARY,   // not on this machine, or without what is needed of it
    CMAIL_NO_SMTP,      // built without SMTP or TLS
    CMAIL_STOPPED,      // `is_over` said so
    CMAIL_LATE,
    CMAIL_UNKNOWN_NAME,
    CMAIL_NO_CONNECTION,
    CMAIL_UNTRUSTED,    // the certificate
    CMAIL_BAD_CERTIFICATE_FILE,
    CMAIL_NO_STARTTLS,
    CMAIL_NO_TLS,       // what speaks there is not TLS
    CMAIL_LOGIN,        // user and password
    CMAIL_OTHER,        // `reply` says more, when the server gave one
};

struct cmail_request {
    const char *library;      // libcurl.so.4
    const char *url;          // smtp://host:port or smtps://host:port
    const char *user;         // NULL for none
    const char *password;
    const char *certificates; // NULL for the system's
    int must_start_tls;
    const char *from;         // bare addresses
    const char *const *to;
    size_t to_count;
    const uint8_t *message;   // lines end in CR LF
    size_t message_size;
    long connect_milliseconds, deadline_milliseconds;
    int (*is_over)(void *context); // asked at least each second; other than 0 ends the attempt
    void *context;
};

struct cmail_result {
    enum cmail_outcome outcome;
    int reply; // the last reply of 400 and above, 0 for none
    int error; // errno of a connection that failed, 0 for none
};

// Blocks until the server took the message or did not, at most for the deadline.
struct cmail_result cmail_send(const struct cmail_request *request);

#endif
