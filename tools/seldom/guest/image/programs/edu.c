/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Computes with each "edu" device of QEMU, and moves data through it.
 *
 * A line for each, such as
 *
 *     edu 0000:00:05.0 010000ed 1=1 5=120 10=3628800 12=479001600 dma=ok
 *
 * with the device's identification, factorials that it has computed, and what
 * came of data that went into the device and out of it again. At last the
 * device is told to fetch what is not the guest's; that this is stopped can be
 * seen outside only.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "devices.h"

/* See docs/specs/edu in QEMU. */
#define BAR_SIZE 0x100000
#define IDENTIFICATION 0x00
#define FACTORIAL 0x08
#define STATUS 0x20
#define COMPUTING 0x01
#define DMA_SOURCE 0x80
#define DMA_TARGET 0x88
#define DMA_COUNT 0x90
#define DMA_COMMAND 0x98
#define DMA_START 0x01
#define DMA_TO_MEMORY 0x02
#define BUFFER 0x40000

#define PAGE 4096
/* To some releases of QEMU, the whole of the buffer is out of its bounds. */
#define BYTES (PAGE / 2)
/* In reach of the device's DMA (28 bits), and above the guest's memory. */
#define STRAY UINT64_C(0x0ff00000)
#define SECONDS 30

static const uint32_t NUMBERS[] = {1, 5, 10, 12};

static volatile uint8_t *bar;

static uint32_t
get32(size_t offset)
{
    return *(volatile uint32_t *)(bar + offset);
}

static void
set32(size_t offset, uint32_t value)
{
    *(volatile uint32_t *)(bar + offset) = value;
}

static void
set64(size_t offset, uint64_t value)
{
    *(volatile uint64_t *)(bar + offset) = value;
}

/* Wait until some bits of a register are clear; 0 if they are. */
static int
wait_clear(size_t offset, uint32_t bits)
{
    const struct timespec pause = {0, 1000000};
    time_t end = time(NULL) + SECONDS;

    while (get32(offset) & bits) {
        if (time(NULL) > end)
            return -1;
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* Let the device read and write memory, and map its registers. */
static int
open_device(const char *address)
{
    char path[256];
    uint16_t command;
    int file;

    snprintf(path, sizeof(path), SYSFS "/%s/enable", address);
    file = open(path, O_WRONLY);
    if (file < 0 || write(file, "1", 1) != 1)
        return -1;
    close(file);
    snprintf(path, sizeof(path), SYSFS "/%s/config", address);
    file = open(path, O_RDWR);
    if (file < 0 || pread(file, &command, 2, 4) != 2)
        return -1;
    command |= 0x6;
    if (pwrite(file, &command, 2, 4) != 2)
        return -1;
    close(file);
    snprintf(path, sizeof(path), SYSFS "/%s/resource0", address);
    file = open(path, O_RDWR);
    if (file < 0)
        return -1;
    bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return bar == MAP_FAILED ? -1 : 0;
}

/* Where a page of ours is in the guest's memory; 0 if that is not known. */
static uint64_t
physical(const void *page)
{
    uint64_t entry = 0;
    int file = open("/proc/self/pagemap", O_RDONLY);

    if (file < 0)
        return 0;
    if (pread(file, &entry, 8, (uintptr_t)page / PAGE * 8) != 8)
        entry = 0;
    close(file);
    return (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
}

static int
dma(uint64_t source, uint64_t target, uint64_t direction)
{
    set64(DMA_SOURCE, source);
    set64(DMA_TARGET, target);
    set64(DMA_COUNT, BYTES);
    set64(DMA_COMMAND, DMA_START | direction);
    return wait_clear(DMA_COMMAND, DMA_START);
}

/* Send data into the device, and have it come back elsewhere. */
static const char *
move(const char *address)
{
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    uint8_t *back = pages + PAGE;
    uint64_t from, to;

    if (pages == MAP_FAILED)
        return "no-memory";
    /* Something of this device's own, which no other would send back. */
    for (size_t i = 0; i < BYTES; i++)
        pages[i] = (uint8_t)(i * 7 + (uint8_t)address[i % strlen(address)]);
    memset(back, 0, BYTES);
    from = physical(pages);
    to = physical(back);
    if (from == 0 || to == 0)
        return "no-address";
    if (dma(from, BUFFER, 0) || dma(BUFFER, to, DMA_TO_MEMORY))
        return "timeout";
    return memcmp(pages, back, BYTES) == 0 ? "ok" : "differs";
}

static void
use(const char *address)
{
    if (open_device(address)) {
        printf("edu %s failed: %s\n", address, strerror(errno));
        return;
    }
    printf("edu %s %08" PRIx32, address, get32(IDENTIFICATION));
    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
        set32(FACTORIAL, NUMBERS[i]);
        if (wait_clear(STATUS, COMPUTING))
            printf(" %" PRIu32 "=timeout", NUMBERS[i]);
        else
            printf(" %" PRIu32 "=%" PRIu32, NUMBERS[i], get32(FACTORIAL));
    }
    printf(" dma=%s\n", move(address));
    dma(STRAY, BUFFER, 0);
    munmap((void *)bar, BAR_SIZE);
}

int
main(void)
{
    for_each("device", "0x11e8", use);
    return 0;
}
