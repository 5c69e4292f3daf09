/* SPDX-License-Identifier: Apache-2.0 */

/* PCI devices in sysfs. */

#ifndef DEVICES_H
#define DEVICES_H

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSFS "/sys/bus/pci/devices"

/* Read the first word of a file of a device; "" if there is none. */
static void
attribute(const char *address, const char *name, char *value, size_t size)
{
    char path[512];
    FILE *file;

    value[0] = '\0';
    snprintf(path, sizeof(path), SYSFS "/%s/%s", address, name);
    file = fopen(path, "r");
    if (file == NULL)
        return;
    if (fgets(value, (int)size, file) == NULL)
        value[0] = '\0';
    fclose(file);
    value[strcspn(value, " \n")] = '\0';
}

/* Call a function for each device of which a file has a value. */
static void
for_each(const char *name, const char *wanted, void (*use)(const char *))
{
    struct dirent **entries;
    int count = scandir(SYSFS, &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char value[64];

        attribute(entries[i]->d_name, name, value, sizeof(value));
        if (strcmp(value, wanted) == 0)
            use(entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}

#endif
