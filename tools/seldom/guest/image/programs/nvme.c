/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writes to each NVMe namespace, and reads it back.
 *
 * A line for each, such as
 *
 *     nvme 0000:00:06.0 serial12 written=ok
 *
 * with the drive's serial number, by which outside one is told from another.
 */

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

#define SIZE 4096
#define SECONDS 30
#define CLASS "0x010802"

/* Find an entry of a folder by how it begins; 0 if there is one. */
static int
find(const char *folder, const char *prefix, char *name, size_t size)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;
    int result = -1;

    if (stream == NULL)
        return -1;
    while (result && (entry = readdir(stream)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
            result = 0;
        }
    closedir(stream);
    return result;
}

/* The driver finds a drive and its namespace in time of its own. */
static int
find_namespace(const char *address, char *drive, char *space, size_t size)
{
    const struct timespec pause = {0, 100000000};
    time_t end = time(NULL) + SECONDS;

    while (time(NULL) <= end) {
        char folder[512];

        snprintf(folder, sizeof(folder), SYSFS "/%s/nvme", address);
        if (find(folder, "nvme", drive, size) == 0) {
            char path[1024];

            snprintf(path, sizeof(path), "%s/%s", folder, drive);
            if (find(path, drive, space, size) == 0)
                return 0;
        }
        nanosleep(&pause, NULL);
    }
    return -1;
}

/* Past the guest's own memory, both ways. */
static const char *
write_and_read(const char *space)
{
    static char written[SIZE] __attribute__((aligned(SIZE)));
    static char found[SIZE] __attribute__((aligned(SIZE)));
    char path[300];
    struct timespec now;
    int file;

    snprintf(path, sizeof(path), "/dev/%s", space);
    file = open(path, O_RDWR | O_DIRECT | O_SYNC);
    if (file < 0)
        return strerror(errno);
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (size_t i = 0; i < SIZE; i++)
        written[i] = (char)(i * 31 + (size_t)now.tv_nsec);
    if (pwrite(file, written, SIZE, 0) != SIZE ||
        pread(file, found, SIZE, 0) != SIZE)
        return strerror(errno);
    close(file);
    return memcmp(written, found, SIZE) == 0 ? "ok" : "differs";
}

static void
use(const char *address)
{
    char drive[64], space[64], name[128], serial[64];

    if (find_namespace(address, drive, space, sizeof(drive))) {
        printf("nvme %s failed: no namespace\n", address);
        return;
    }
    snprintf(name, sizeof(name), "nvme/%s/serial", drive);
    attribute(address, name, serial, sizeof(serial));
    printf("nvme %s %s written=%s\n", address, serial, write_and_read(space));
}

int
main(void)
{
    for_each("class", CLASS, use);
    return 0;
}
