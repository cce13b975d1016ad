# purpose: a plain upload of files to a bucket, each signed and hashed, as fast as the line and the server let it: what a backup is measured against
# use:     S3_ACCESS=key S3_SECRET=secret python3 plainupload.py PORT BUCKET CONNECTIONS < a file's path a line     objects are named by numbers
# needs:   python3
import hashlib, hmac, http.client, os, queue, sys, threading, time

ACCESS, SECRET = os.environ["S3_ACCESS"], os.environ["S3_SECRET"]


def signed(method, host, path, body):
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    date, digest = stamp[:8], hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    canonical = "\n".join([method, path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, digest])
    scope = f"{date}/us-east-1/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + SECRET.encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, SignedHeaders={names}, Signature={signature}"}


def upload(port, bucket, waiting, failures):
    connection, host = http.client.HTTPConnection("127.0.0.1", port), f"127.0.0.1:{port}"
    while True:
        try:
            number, path = waiting.get_nowait()
        except queue.Empty:
            return
        with open(path, "rb") as source:
            body = source.read()
        target = f"/{bucket}/plain/{number}"
        connection.request("PUT", target, body, signed("PUT", host, target, body))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            failures.append(answer.status)


def main():
    port, bucket, connections = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    waiting, failures = queue.Queue(), []
    for item in enumerate(line.rstrip("\n") for line in sys.stdin):
        waiting.put(item)
    threads = [threading.Thread(target=upload, args=(port, bucket, waiting, failures)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit(f"plain upload: refused with {failures[0]}" if failures else 0)


if __name__ == "__main__":
    main()
