# purpose: a line with a round trip of its own on this machine: what it gets on one side leaves on the other half a round trip later
# use:     python3 delayproxy.py PORT MILLISECONDS     prints its port, and serves on 127.0.0.1 until its standard input ends
# needs:   python3
import asyncio, sys, time

PIECE, WINDOW = 1 << 18, 64        # bytes of a read; pieces on their way in one direction


async def carry(reader, writer, seconds):
    """reads and writes side by side, so that delay costs no rate"""
    line = asyncio.Queue(WINDOW)

    async def feed():
        while data := await reader.read(PIECE):
            await line.put((time.monotonic() + seconds, data))
        await line.put((time.monotonic() + seconds, b""))

    feeding = asyncio.create_task(feed())
    try:
        while True:
            when, data = await line.get()
            await asyncio.sleep(max(0.0, when - time.monotonic()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        feeding.cancel()
        writer.close()


async def main(target, seconds):
    async def connected(reader, writer):
        await asyncio.sleep(2 * seconds)        # the greeting of a connection
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            return writer.close()
        await asyncio.gather(carry(reader, far_writer, seconds), carry(far_reader, writer, seconds), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=PIECE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 2000))
