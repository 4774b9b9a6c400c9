/* disk_sim.h - private to os/: what the simulated disk is made of.
 *
 * A node is one file's bytes in two images: `seen` is what a reader gets, `kept` what a power cut
 * leaves.  They differ only in the listed sectors, so a sync, a cut and a return of power touch
 * those and nothing else.  Names live in two tables in the same way, with the changes between them
 * in a list.
 *
 *     write   seen changes, its sectors become SECTOR_DIRTY
 *     sync    listed sectors go from seen to kept
 *     cut     some listed sectors go from seen to kept, all others from kept to seen
 *
 * Nothing allocates at a sync or a cut: what they need is reserved by the change before. */
#ifndef SOUK_OS_DISK_SIM_H
#define SOUK_OS_DISK_SIM_H

#include "os/disk_backend.h"

enum { SOUK_SIM_SECTOR = 512 };

typedef struct souk_sim_node souk_sim_node;
struct souk_sim_node {
    unsigned refs; /* entries of tables, pending changes, open files */
    bool is_folder;
    uint64_t seen_bytes, kept_bytes; /* both images are zero behind their size */
    uint64_t low_bytes;              /* the lowest truncate since the last sync; UINT64_MAX: none */
    size_t capacity;                 /* of each image, whole sectors */
    unsigned char *seen, *kept;      /* [capacity] */
    uint8_t *state;                  /* [capacity / 512], enum in disk_sim_node.c */
    uint32_t *listed;                /* [capacity / 512]: sectors in which the images differ */
    size_t listed_count;
    souk_sim_node *next_spare;
};

/* Nodes that are done, kept for their memory: a test makes and loses thousands of files. */
typedef struct souk_sim_nodes {
    souk_mem *mem;
    souk_sim_node *spare;
    size_t spare_count;
} souk_sim_nodes;

uint64_t souk_sim_random(uint64_t *state);
static inline bool souk_sim_coin(uint64_t *state)
{
    return souk_sim_random(state) & 1;
}

/* Born with one reference; SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_sim_node_new(souk_sim_nodes *nodes, bool is_folder,
                                        souk_sim_node **ret_node);
void souk_sim_node_drop(souk_sim_nodes *nodes, souk_sim_node *node); /* one reference less */
void souk_sim_nodes_done(souk_sim_nodes *nodes);

/* SOUK_EFULL above 1 GiB: one file of a test.  SOUK_ENOMEM. */
SOUK_CHECKED souk_err souk_sim_node_write(souk_mem *mem, souk_sim_node *node, const void *from,
                                          size_t bytes, uint64_t offset, uint64_t *random);
SOUK_CHECKED souk_err souk_sim_node_truncate(souk_mem *mem, souk_sim_node *node, uint64_t bytes);
void souk_sim_node_sync(souk_sim_node *node);
/* Some sectors arrive; the others count as written from now on and are lost at the next cut. */
void souk_sim_node_sync_failed(souk_sim_node *node, uint64_t *random);
void souk_sim_node_cut(souk_sim_node *node, uint64_t *random);

typedef struct souk_sim_entry {
    char name[SOUK_DISK_NAME_ROOM];
    souk_sim_node *node;
} souk_sim_entry;

typedef struct souk_sim_table {
    souk_sim_entry *at; /* in byte order of the names */
    size_t count, capacity;
} souk_sim_table;

/* One pending operation on names: `off` loses its entry, `on` gets the node; "" for none. */
typedef struct souk_sim_change {
    souk_sim_node *node;
    char off[SOUK_DISK_NAME_ROOM], on[SOUK_DISK_NAME_ROOM];
    bool marked; /* to be made durable, while a sync or a cut decides */
} souk_sim_change;

typedef struct souk_sim_names {
    souk_sim_nodes *nodes;
    souk_sim_table seen, kept;
    souk_sim_change *pending; /* oldest first */
    size_t pending_count, pending_capacity;
} souk_sim_names;

souk_sim_node *souk_sim_names_find(const souk_sim_names *names, const char *name);
/* Whether the folder that `name` would stand in is there. */
bool souk_sim_names_has_place(const souk_sim_names *names, const char *name);
/* Changes what is seen now and what is kept some time later; all or SOUK_ENOMEM, SOUK_EFULL. */
SOUK_CHECKED souk_err souk_sim_names_change(souk_sim_names *names, souk_sim_node *node,
                                            const char *off, const char *on);
/* See sync_folder in disk_backend.h. */
void souk_sim_names_sync(souk_sim_names *names, const char *way);
void souk_sim_names_cut(souk_sim_names *names, uint64_t *random);
void souk_sim_names_done(souk_sim_names *names);

#endif
