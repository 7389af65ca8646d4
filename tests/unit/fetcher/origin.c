/* SPDX-License-Identifier: ISC */
/* Origins for tests. */
#include "origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/key_text.h"

static const char configuration[] =
	"load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;\n"
	"daemon off; master_process off; pid nginx.pid; error_log error.log info;\n"
	"events { worker_connections 2048; }\n"
	"http {\n"
	"  log_format peers '$status $server_protocol $connection $uri $http_user_agent "
	"$http_accept "
	"accept_encoding=[$http_accept_encoding] ended=$msec took=$request_time';\n"
	"  access_log access.log peers;\n"
	"  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;\n"
	"  uwsgi_temp_path tmp; scgi_temp_path tmp;\n"
	"  ssl_certificate server.pem; ssl_certificate_key server.key;\n"
	"  keepalive_requests 100000;\n"
	"  server { listen 8080; listen [::1]:8080; listen unix:origin.sock;\n"
	"    listen 8441 ssl; listen 8442 ssl http2; listen [::1]:8442 ssl "
	"http2;\n"
	"    root docroot;\n"
	"    location /peer/ { if (-f $document_root/gone$uri) { return 410; } }\n"
	"    location /brief/ { add_header Cache-Control max-age=7 always; rewrite ^/brief/ /none; "
	"}\n"
	"    location = /none { add_header Cache-Control max-age=7 always; return 404; }\n"
	"    location /stale/ { add_header Cache-Control 'max-age=0, stale-if-error=60' always;\n"
	"      rewrite ^/stale/(.*)$ /peer/$1 break; }\n"
	"    location /refreshed/ { add_header Cache-Control 'max-age=0, "
	"stale-while-revalidate=60';\n"
	"      rewrite ^/refreshed/(.*)$ /peer/$1 break; }\n"
	"    location /unkept/ { add_header Cache-Control no-store;\n"
	"      rewrite ^/unkept/(.*)$ /peer/$1 break; }\n"
	"    location ~ ^/slow/(.*)$ { echo_sleep 0.1; echo_exec /checked/$1; }\n"
	"    location /checked/ { add_header Cache-Control 'max-age=0, must-revalidate';\n"
	"      rewrite ^/checked/(.*)$ /peer/$1 break; }\n"
	"    location /flip/ { if (-f $document_root/broken) { return 500; }\n"
	"      add_header Cache-Control max-age=0; rewrite ^/flip/(.*)$ /peer/$1 break; }\n"
	"    location /moved/ { return 302 http://127.0.0.1:8080/peer/; }\n"
	"    location /broken/ { return 500; }\n"
	"    location /empty/ { return 204; }\n"
	"    location /unchanged/ { return 304; }\n"
	"    location /busy/ { add_header Retry-After 2 always; return 503; }\n"
	"    location /ailing/ { if (-f $document_root/busy) { rewrite ^ /busy/ last; }\n"
	"      if (-f $document_root/well) { rewrite ^/ailing/(.*)$ /peer/$1 last; }\n"
	"      return 502; }\n"
	"    location /secret/ { if ($http_authorization != 'Bearer tok-123') { return 401; }\n"
	"      rewrite ^/secret/(.*)$ /peer/$1 last; }\n"
	"    location /huge/ { rewrite ^ /big last; }\n"
	"  }\n"
	"  server { listen unix:other.sock; location / { return 410; } }\n"
	"  server { listen 8443 ssl; ssl_client_certificate client.pem;\n"
	"    ssl_verify_client on; root docroot; }\n"
	"  server { listen 8081; keepalive_timeout 0; root docroot; }\n"
	"  server { listen 8082; keepalive_timeout 1; client_header_timeout 1;\n"
	"    root docroot; }\n"
	"}\n";

const char *origin_path(const struct origin *origin, const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", origin->directory, name);
	return path;
}

static void write_file(const struct origin *origin, const char *name, const char *text)
{
	FILE *file = fopen(origin_path(origin, name), "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Runs a shell command in the directory. */
static void run(const struct origin *origin, const char *command)
{
	char line[1024];

	snprintf(
		line, sizeof(line), "cd %s && { %s; } >/dev/null 2>&1", origin->directory, command);
	assert_int_equal(system(line), 0);
}

void origin_open(struct origin *origin)
{
	static const char make_certificate[] =
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
		"-subj /CN=%s -addext "
		"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,IP:10.99.0.2 "
		"-keyout %s.key -out %s.pem";
	static const char *const names[] = {"server", "client", "other-ca"};

	*origin = (struct origin){.directory = "/tmp/pullgate-origin-XXXXXX"};
	assert_non_null(mkdtemp(origin->directory));
	chmod(origin->directory, 0755);
	run(origin, "mkdir -p tmp docroot/peer docroot/gone/peer");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char command[512];

		snprintf(command, sizeof(command), make_certificate, names[i], names[i], names[i]);
		run(origin, command);
	}
	run(origin, "openssl ec -in client.key -aes256 -passout pass:secret -out encrypted.key");
	run(origin,
		"cp server.pem ca.pem; head -c 1000000 /dev/zero >docroot/big; chmod 644 *.key");
	run(origin,
		"openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform DER | "
		"openssl dgst -sha256 -binary | base64 | sed 's|^|sha256//|' >pin");
	write_file(origin, "token", "tok-123\n");
	write_file(origin, "nginx.conf", configuration);
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = connect(fd, (struct sockaddr *)&address, sizeof(address));

	close(fd);
	return error;
}

static void await_listener(uint16_t port)
{
	for (int i = 0; i < 1000; i++) {
		if (connect_to(port) == 0)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("nothing listens on port %u", port);
}

void origin_start(struct origin *origin)
{
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%s/", origin->directory);
	origin->nginx = fork();
	assert_true(origin->nginx >= 0);
	if (origin->nginx == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The Unix socket's path is relative to nginx's prefix only for files. */
		if (chdir(origin->directory) == 0)
			execl("/usr/sbin/nginx", "nginx", "-e", "error.log", "-p", prefix, "-c",
				"nginx.conf", (char *)NULL);
		_exit(127);
	}
	await_listener(ORIGIN_HTTP);
}

void origin_stop(struct origin *origin)
{
	int status;

	kill(origin->nginx, SIGTERM);
	assert_int_equal(waitpid(origin->nginx, &status, 0), origin->nginx);
	unlink(origin_path(origin, "origin.sock"));
	unlink(origin_path(origin, "other.sock"));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

void origin_close(struct origin *origin)
{
	origin_stop(origin);
	nftw(origin->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void origin_put(const struct origin *origin, const uint8_t key[static 32], const char *members)
{
	char name[KEY_BASE64_URL_BYTES], base64[KEY_BASE64_BYTES], path[128], body[1024];

	snprintf(path, sizeof(path), "docroot/peer/%s", key_to_base64_url(name, key));
	snprintf(body, sizeof(body), "{\"public_key\": \"%s\", %s}\n", key_to_base64(base64, key),
		members);
	write_file(origin, path, body);
}

/* Reads up to the end of a request's header; false when the client has gone. */
static int read_request(int fd)
{
	char bytes[8192];
	size_t used = 0;

	while (used < sizeof(bytes) - 1) {
		ssize_t got = read(fd, bytes + used, sizeof(bytes) - 1 - used);

		if (got <= 0)
			return 0;
		used += (size_t)got;
		bytes[used] = '\0';
		if (strstr(bytes, "\r\n\r\n") != NULL)
			return 1;
	}
	return 0;
}

static int say(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void say_without_end(int fd, const char *first, const char *again)
{
	int goes_on = say(fd, first);

	while (goes_on)
		goes_on = say(fd, again);
}

static void serve(int fd, enum misbehaviour how)
{
	static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

	if (how == CLOSES_AT_ONCE || !read_request(fd))
		return;
	switch (how) {
	case SAYS_NOTHING:
		read_request(fd);
		break;
	case ANSWERS_ONCE:
		say(fd, missing);
		read_request(fd);
		break;
	case ENDLESS_HEADERS:
		say_without_end(
			fd, "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789012345678901234567\r\n");
		break;
	case ENDLESS_INTERIM:
		say_without_end(
			fd, "", "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n");
		break;
	case ENDLESS_BODY:
		say_without_end(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			"10\r\n0123456789abcdef\r\n");
		break;
	case CUT_BODY:
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"public_key\":");
		break;
	case CUT_HEADER:
		say(fd, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n");
		break;
	case TWO_LENGTHS:
		say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\n"
			"abcde");
		break;
	case SAYS_MORE:
		say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n");
		poll(NULL, 0, 20); /* read apart from the header, the body ends where it should */
		say(fd, "xHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
		read_request(fd);
		break;
	case TRICKLES:
		say(fd, "HTTP/1.1 200 OK\r\nX: ");
		while (say(fd, "x"))
			poll(NULL, 0, 50);
		break;
	case NO_HTTP:
		say(fd, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n");
		break;
	default:
		break;
	}
}

_Noreturn static void accept_for_ever(int listener, enum misbehaviour how)
{
	/* A process a connection, reaped by nobody: they end with this one's parent. */
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0 && fork() == 0) {
			close(listener);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve(fd, how);
			_exit(0);
		}
		close(fd);
	}
}

/* A child of the last server, killed in the middle of its fork, can hold the port a moment. */
static void listen_on(int listener, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int yes = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	for (int i = 0; i < 1000; i++) {
		if (bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(listener, 64) == 0)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("port %u: %s", port, strerror(errno));
}

pid_t misbehave(enum misbehaviour how, uint16_t port)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t server;

	listen_on(listener, port);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		accept_for_ever(listener, how);
	}
	close(listener);
	return server;
}

void stop_misbehaving(pid_t server)
{
	kill(server, SIGKILL);
	assert_int_equal(waitpid(server, NULL, 0), server);
}
