/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "migrate/filehash.h"

#define CHUNK 262144
#define SLOTS 4096ULL
#define MAX_PROGRAM_HEADERS 128
#define MAX_NOTES 4096
#define NOTE_ALIGN(n) (((n) + 3u) & ~3u)

int filehash_fd(int fd, uint8_t hash[FILEHASH_LEN])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *chunk = malloc(CHUNK);
    off_t offset = 0;
    ssize_t n = -1;
    int error = -ENOMEM;

    if (ctx && chunk && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
        while ((n = pread(fd, chunk, CHUNK, offset)) > 0) {
            EVP_DigestUpdate(ctx, chunk, (size_t)n);
            offset += n;
        }
        error = n < 0 ? -errno : 0;
    }
    if (!error && !EVP_DigestFinal_ex(ctx, hash, NULL))
        error = -EIO;
    free(chunk);
    EVP_MD_CTX_free(ctx);
    return error;
}

/* What a hash is known for: the file, and how it was. */
struct known {
    uint64_t file[2], was[5];
    uint8_t hash[FILEHASH_LEN];
};

static void known_init(struct known *known, const struct stat *st)
{
    *known = (struct known){
        .file = { st->st_dev, st->st_ino },
        .was = { (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
                 (uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec,
                 (uint64_t)st->st_ctim.tv_nsec }
    };
}

static int hash_recall(const char *path, struct known *known)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct known found;
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, &found, sizeof(found));
    close(fd);
    if (n != sizeof(found) || memcmp(found.file, known->file, sizeof(found.file)) != 0 ||
        memcmp(found.was, known->was, sizeof(found.was)) != 0)
        return -ENOENT;
    *known = found;
    return 0;
}

static void hash_remember(const char *path, const struct known *known)
{
    char temporary[4200];
    int fd;

    snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, known, sizeof(*known)) != sizeof(*known) || rename(temporary, path) < 0)
        unlink(temporary);
    close(fd);
}

/* Files share slots, so that users' files, of which there is no end, cannot fill the folder. */
int filehash_cached(const char *dir, int fd, const struct stat *st, uint8_t hash[FILEHASH_LEN])
{
    struct known known;
    char path[4096];
    int error = 0;

    known_init(&known, st);
    snprintf(path, sizeof(path), "%s/%llx", dir,
             (unsigned long long)(known.file[0] * 31 + known.file[1]) % SLOTS);
    if (hash_recall(path, &known) < 0) {
        error = filehash_fd(fd, known.hash);
        if (!error)
            hash_remember(path, &known);
    }
    memcpy(hash, known.hash, FILEHASH_LEN);
    return error;
}

/* The notes of one segment; the descriptor of the build id, if it is there. */
static size_t notes_find(const uint8_t *notes, size_t len, uint8_t *id, size_t max)
{
    size_t at = 0;

    while (at + sizeof(Elf64_Nhdr) <= len) {
        Elf64_Nhdr note;
        size_t name, desc;

        memcpy(&note, notes + at, sizeof(note));
        name = at + sizeof(note);
        if (note.n_namesz > MAX_NOTES || note.n_descsz > MAX_NOTES)
            return 0;
        desc = name + NOTE_ALIGN(note.n_namesz);
        if (desc + note.n_descsz > len)
            return 0;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0 && note.n_descsz <= max) {
            memcpy(id, notes + desc, note.n_descsz);
            return note.n_descsz;
        }
        at = desc + NOTE_ALIGN(note.n_descsz);
    }
    return 0;
}

size_t filehash_build_id(int fd, uint8_t *id, size_t max)
{
    Elf64_Ehdr elf;
    Elf64_Phdr headers[MAX_PROGRAM_HEADERS];
    uint8_t notes[MAX_NOTES];
    ssize_t n;

    if (pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) ||
        memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_phentsize != sizeof(headers[0]) || elf.e_phnum > MAX_PROGRAM_HEADERS)
        return 0;
    n = (ssize_t)(elf.e_phnum * sizeof(headers[0]));
    if (pread(fd, headers, (size_t)n, (off_t)elf.e_phoff) != n)
        return 0;
    for (unsigned i = 0; i < elf.e_phnum; i++) {
        size_t found;

        if (headers[i].p_type != PT_NOTE || headers[i].p_filesz > sizeof(notes))
            continue;
        n = pread(fd, notes, headers[i].p_filesz, (off_t)headers[i].p_offset);
        found = n > 0 ? notes_find(notes, (size_t)n, id, max) : 0;
        if (found)
            return found;
    }
    return 0;
}

void filehash_hex(const uint8_t hash[FILEHASH_LEN], char hex[FILEHASH_HEX])
{
    for (unsigned i = 0; i < FILEHASH_LEN; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}
