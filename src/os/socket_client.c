/* socket_client.c - the blocking client of socket.h: every call ends by its deadline. */
#include "os/socket.h"
#include "os/socket_wait.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

souk_err souk_client_open(souk_client *client, const char *address, int64_t wait_ms,
                          souk_diag *diag)
{
    souk_fd fd;
    SOUK_TRY(souk_socket_connect(address, wait_ms, &fd, diag));
    *client = (souk_client){fd, wait_ms};
    return SOUK_OK;
}

void souk_client_done(souk_client *client)
{
    souk_fd_done(&client->fd);
}

souk_err souk_client_send(souk_client *client, souk_text text)
{
    int64_t deadline_ns = souk_socket_deadline(client->wait_ms);
    while (text.bytes) {
        ssize_t put = send(client->fd, text.at, text.bytes, MSG_NOSIGNAL);
        if (put >= 0)
            text = (souk_text){text.at + put, text.bytes - (size_t)put};
        else if (errno == EAGAIN)
            SOUK_TRY(souk_socket_wait(client->fd, POLLOUT, deadline_ns));
        else if (errno != EINTR)
            return SOUK_EIO;
    }
    return SOUK_OK;
}

souk_err souk_client_finish(souk_client *client)
{
    return shutdown(client->fd, SHUT_WR) ? SOUK_EIO : SOUK_OK;
}

static souk_err receive_until(souk_client *client, void *to, size_t most, int64_t deadline_ns,
                              size_t *ret_bytes)
{
    for (;;) {
        ssize_t got = recv(client->fd, to, most, 0);
        if (got >= 0) {
            *ret_bytes = (size_t)got;
            return SOUK_OK;
        }
        if (errno == EAGAIN)
            SOUK_TRY(souk_socket_wait(client->fd, POLLIN, deadline_ns));
        else if (errno != EINTR)
            return SOUK_EIO;
    }
}

souk_err souk_client_receive(souk_client *client, void *to, size_t most, size_t *ret_bytes)
{
    souk_assert(most > 0);
    return receive_until(client, to, most, souk_socket_deadline(client->wait_ms), ret_bytes);
}

souk_err souk_client_receive_line(souk_client *client, souk_buf *buf)
{
    int64_t deadline_ns = souk_socket_deadline(client->wait_ms);
    for (char byte = 0; byte != '\n';) {
        size_t got;
        SOUK_TRY(receive_until(client, &byte, 1, deadline_ns, &got));
        if (got == 0)
            return SOUK_EIO;
        souk_buf_byte(buf, byte);
        SOUK_TRY(souk_buf_check(buf));
    }
    return SOUK_OK;
}

souk_err souk_client_receive_all(souk_client *client, souk_buf *buf)
{
    int64_t deadline_ns = souk_socket_deadline(client->wait_ms);
    for (;;) {
        char some[4096];
        size_t got;
        SOUK_TRY(receive_until(client, some, sizeof some, deadline_ns, &got));
        if (got == 0)
            return SOUK_OK;
        souk_buf_append(buf, some, got);
        SOUK_TRY(souk_buf_check(buf));
    }
}
