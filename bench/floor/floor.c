/*
 * floor: what fetching files over HTTP costs at the least.
 *
 * A single-threaded client that makes the kernel calls a perfect fetcher makes,
 * and no others. It is the row that the other rows of the benchmark are divided
 * by. It trusts its server: any surprise ends it.
 *
 *	floor [-n] [-p] [-s] PORT CONCURRENCY OUTDIR URLLIST
 *
 * -n makes a new connection for each fetch instead of keeping them alive.
 * -p writes to the final name from the start, which saves the rename and lets
 * others see files that are not complete.
 * -s splices what a body has beyond its first recv.
 * URLLIST has a line http://127.0.0.1:PORT/path for each file. The file's name
 * is the path's last part.
 *
 *	a connection	socket, connect, epoll_ctl ADD; when it is writable getsockopt,
 *			getpeername, epoll_ctl MOD; in the end close
 *	a fetch		send, recv, openat, write, close, renameat2
 *	a turn		epoll_wait
 *
 * A response that does not fit into one recv costs a recv and a write for each
 * piece, or two splices. The next request is sent in the step that ended the
 * last response.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECV_BYTES = 1 << 20, PIPE_BYTES = 1 << 20, HEAD_BYTES = 8 << 10, REQUEST_BYTES = 4 << 10, NAME_BYTES = 64, BATCH = 512 };

struct conn {
	enum { CONNECTING, HEAD, BODY } state;
	int socket;
	int file;		/* the temporary file, or -1 */
	const char *url;	/* of the fetch under way; ends in a line feed */
	uint64_t left;		/* bytes of the body still to come */
	size_t head_len;	/* bytes of a head that did not come in one piece */
	char *head;
	char name[NAME_BYTES];	/* of that file */
};

static struct sockaddr_in server;
static int keep_alive = 1, plain_names, splices;
static int epoll, dir, pipe_ends[2];
static const char *next_url, *urls_end;
static uint64_t open_conns, temps;
static char buffer[RECV_BYTES];

/* must is for kernel calls, expect for what the server and the list say. */

static void must(int ok, const char *call)
{
	if (ok)
		return;
	fprintf(stderr, "floor: %s: %s\n", call, strerror(errno));
	exit(1);
}

static void expect(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "floor: not as expected: %s\n", what);
	exit(1);
}

/* line_length is the bytes of a line of the list, less its line feed. */
static size_t line_length(const char *s)
{
	return (const char *)memchr(s, '\n', urls_end - s) - s;
}

/* path_of skips a URL's scheme and host. */
static const char *path_of(const char *url)
{
	const char *host = memmem(url, line_length(url), "://", 3);
	expect(host != NULL, "a line without ://");
	const char *path = memchr(host + 3, '/', line_length(host + 3));
	expect(path != NULL, "a URL without a path");
	return path;
}

static void take_url(struct conn *c)
{
	c->url = next_url;
	next_url += line_length(next_url) + 1;
}

/* a connection, from socket to close */

static void open_conn(struct conn *c)
{
	take_url(c);
	c->state = CONNECTING;
	c->file = -1;
	c->head_len = 0;
	c->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(c->socket >= 0, "socket");
	must(connect(c->socket, (struct sockaddr *)&server, sizeof server) == 0 || errno == EINPROGRESS, "connect");
	struct epoll_event e = { .events = EPOLLOUT, .data.ptr = c };
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, c->socket, &e) == 0, "epoll_ctl");
	open_conns++;
}

static void close_conn(struct conn *c)
{
	must(close(c->socket) == 0, "close of a socket");
	open_conns--;
}

static void send_request(struct conn *c)
{
	static char request[REQUEST_BYTES];

	const char *path = path_of(c->url);
	int n = snprintf(request, sizeof request,
		"GET %.*s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: floor\r\nAccept: */*\r\n%s\r\n",
		(int)line_length(path), path, ntohs(server.sin_port), keep_alive ? "" : "Connection: close\r\n");
	expect(n < (int)sizeof request, "the length of a URL");
	must(send(c->socket, request, n, MSG_NOSIGNAL) == n, "send");
	c->state = HEAD;
}

static void connected(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof err;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof peer;

	must(getsockopt(c->socket, SOL_SOCKET, SO_ERROR, &err, &len) == 0, "getsockopt");
	errno = err;
	must(err == 0, "connect");
	must(getpeername(c->socket, (struct sockaddr *)&peer, &peer_len) == 0, "getpeername");
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	must(epoll_ctl(epoll, EPOLL_CTL_MOD, c->socket, &e) == 0, "epoll_ctl");
	send_request(c);
}

/* a fetch, from the head's first byte to the file's name */

/* content_length reads what it needs of a head: the status, one field. The
 * empty line that follows stops every comparison. */
static uint64_t content_length(const char *head, size_t len)
{
	static const char field[] = "\r\nContent-Length:";

	const char *p = head, *end = head + len;

	expect(len > 12 && memcmp(head + 8, " 200", 4) == 0, "a status");
	while ((p = memchr(p, '\r', end - p)) != NULL && strncasecmp(p, field, sizeof field - 1) != 0)
		p++;
	expect(p != NULL, "a head without Content-Length");
	return strtoull(p + sizeof field - 1, NULL, 10);
}

static void final_name(const struct conn *c, char *name)
{
	const char *path = path_of(c->url);
	size_t len = line_length(path);
	const char *last = (const char *)memrchr(path, '/', len) + 1;

	len -= last - path;
	expect(len > 0 && len < NAME_BYTES, "the length of a name");
	memcpy(name, last, len);
	name[len] = 0;
}

static void create(struct conn *c)
{
	if (plain_names)
		final_name(c, c->name);
	else
		snprintf(c->name, sizeof c->name, ".%lx", (unsigned long)temps++);
	c->file = openat(dir, c->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	must(c->file >= 0, "openat");
}

static void save(struct conn *c, const char *p, size_t n)
{
	expect(n <= c->left, "a body longer than its Content-Length");
	if (c->file < 0)
		create(c);
	must(n == 0 || write(c->file, p, n) == (ssize_t)n, "write");
	c->left -= n;
}

/* splice_on moves what has come of a body through the pipe, which is empty
 * before and after. */
static void splice_on(struct conn *c)
{
	ssize_t got = splice(c->socket, NULL, pipe_ends[1], NULL, c->left < PIPE_BYTES ? c->left : PIPE_BYTES,
			     SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (got < 0 && errno == EAGAIN)
		return;
	must(got >= 0, "splice from a socket");
	expect(got > 0, "the connection's end");
	c->left -= got;
	while (got > 0) {
		ssize_t put = splice(pipe_ends[0], NULL, c->file, NULL, got, SPLICE_F_MOVE);
		must(put > 0, "splice to a file");
		got -= put;
	}
}

static void finish(struct conn *c)
{
	char name[NAME_BYTES];

	must(close(c->file) == 0, "close of a file");
	if (!plain_names) {
		final_name(c, name);
		must(renameat2(dir, c->name, dir, name, RENAME_NOREPLACE) == 0, "renameat2");
	}
	c->file = -1;

	if (keep_alive && next_url < urls_end) {
		take_url(c);
		send_request(c);
		return;
	}
	close_conn(c);
	if (next_url < urls_end)
		open_conn(c);
}

/* take_head gives the piece of the body in p, or NULL if the head has not
 * ended. Only a head that came in pieces is copied. */
static const char *take_head(struct conn *c, const char *p, size_t *n)
{
	const char *head = p;
	size_t len = *n;

	if (c->head_len > 0) {
		expect(c->head_len + len <= HEAD_BYTES, "the length of a head");
		memcpy(c->head + c->head_len, p, len);
		head = c->head;
		len += c->head_len;
	}
	const char *end = memmem(head, len, "\r\n\r\n", 4);
	if (end == NULL) {
		expect(len <= HEAD_BYTES, "the length of a head");
		if (c->head_len == 0)
			memcpy(c->head, p, len);
		c->head_len = len;
		return NULL;
	}
	c->head_len = 0;
	c->left = content_length(head, end + 2 - head);
	*n = head + len - (end + 4);
	return end + 4;
}

static void receive(struct conn *c)
{
	ssize_t got = recv(c->socket, buffer, sizeof buffer, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	must(got >= 0, "recv");
	expect(got > 0, "the connection's end");

	const char *p = buffer;
	size_t n = got;
	if (c->state == HEAD) {
		p = take_head(c, p, &n);
		if (p == NULL)
			return;
		c->state = BODY;
	}
	save(c, p, n);
}

static void readable(struct conn *c)
{
	if (c->state == BODY && splices)
		splice_on(c);
	else
		receive(c);
	if (c->state == BODY && c->left == 0)
		finish(c);
}

/* the job */

static void read_urls(const char *name)
{
	FILE *f = fopen(name, "r");
	must(f && fseek(f, 0, SEEK_END) == 0, name);
	long len = ftell(f);
	rewind(f);
	char *urls = malloc(len + 1);
	must(urls && fread(urls, 1, len, f) == (size_t)len, name);
	fclose(f);
	expect(len > 0 && urls[len - 1] == '\n', "a list that ends in a line feed");
	next_url = urls;
	urls_end = urls + len;
}

static void fetch_all(struct conn *conns, int concurrency)
{
	struct epoll_event events[BATCH];

	for (int i = 0; i < concurrency && next_url < urls_end; i++) {
		conns[i].head = malloc(HEAD_BYTES);
		must(conns[i].head != NULL, "malloc");
		open_conn(&conns[i]);
	}
	while (open_conns > 0) {
		int n = epoll_wait(epoll, events, BATCH, -1);
		must(n >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			(c->state == CONNECTING ? connected : readable)(c);
		}
	}
}

static void open_pipe(void)
{
	must(pipe2(pipe_ends, O_CLOEXEC) == 0, "pipe2");
	must(fcntl(pipe_ends[1], F_SETPIPE_SZ, PIPE_BYTES) >= PIPE_BYTES, "fcntl");
}

static int usage(void)
{
	fprintf(stderr, "usage: floor [-n] [-p] [-s] PORT CONCURRENCY OUTDIR URLLIST\n");
	return 2;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "nps")) != -1) {
		switch (option) {
		case 'n':
			keep_alive = 0;
			break;
		case 'p':
			plain_names = 1;
			break;
		case 's':
			splices = 1;
			open_pipe();
			break;
		default:
			return usage();
		}
	}
	if (argc - optind != 4)
		return usage();
	argv += optind;
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(argv[0]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int concurrency = atoi(argv[1]);
	expect(concurrency > 0, "the number of connections");
	dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir >= 0, argv[2]);
	read_urls(argv[3]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	must(epoll >= 0, "epoll_create1");
	struct conn *conns = calloc(concurrency, sizeof *conns);
	must(conns != NULL, "calloc");
	fetch_all(conns, concurrency);
	return 0;
}
