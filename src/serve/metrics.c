/* metrics.c - the counters of the spine, each with its help (metrics.h). */
#include "serve/metrics.h"

#include "os/process.h"

void souk_metrics_put(souk_buf *out, const char *name, const char *type, const char *help,
                      uint64_t value)
{
    souk_buf_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
                   (unsigned long long)value);
}

static void put_us(souk_buf *out, const char *name, const char *help, uint64_t value_us)
{
    souk_buf_print(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu.%06llu\n", name, help, name, name,
                   (unsigned long long)(value_us / 1000000),
                   (unsigned long long)(value_us % 1000000));
}

void souk_metrics_write(souk_spine *spine, souk_buf *out)
{
    souk_spine_counters c;
    souk_process_memory memory = {0};
    souk_spine_count(spine, &c);
    if (souk_process_memory_read(&memory) == SOUK_OK) {
        souk_metrics_put(out, "process_resident_memory_bytes", "gauge", "Memory now.",
                         memory.resident_bytes);
        souk_metrics_put(out, "souk_anonymous_memory_bytes", "gauge", "Memory now, without files.",
                         memory.anonymous_bytes);
    }
    souk_metrics_put(out, "souk_events_total", "counter", "Events stored since start.", c.events);
    souk_metrics_put(out, "souk_repeats_total", "counter", "Events that were there already.",
                     c.repeats);
    souk_metrics_put(out, "souk_groups_total", "counter", "Transactions that held events.",
                     c.groups);
    souk_metrics_put(out, "souk_blocks_total", "counter", "Blocks written.", c.blocks);
    souk_metrics_put(out, "souk_block_bytes_total", "counter", "Bytes of these blocks.",
                     c.block_bytes);
    souk_metrics_put(out, "souk_quarantined_total", "counter", "Events whose sums did not fit.",
                     c.quarantined);
    souk_metrics_put(out, "souk_rejects_dropped_total", "counter",
                     "Rejects that went because there were too many.", c.rejects_dropped);
    souk_metrics_put(out, "souk_queued_events", "gauge", "Events waiting for a transaction.",
                     c.queued_events);
    souk_metrics_put(out, "souk_index_atoms_bytes", "gauge", "Index: atoms.", c.memory.atoms);
    souk_metrics_put(out, "souk_snapshots_total", "counter", "Snapshots of the index written.",
                     c.snapshots);
    souk_metrics_put(out, "souk_snapshots_failed_total", "counter", "Snapshots that failed.",
                     c.snapshots_failed);
    souk_metrics_put(out, "souk_snapshot_position", "gauge",
                     "Position through which the last snapshot goes.", c.snapshot_through);
    souk_metrics_put(out, "souk_index_shoppers_bytes", "gauge", "Index: shoppers.",
                     c.memory.shoppers);
    souk_metrics_put(out, "souk_index_counters_bytes", "gauge", "Index: sums.", c.memory.counters);
    souk_metrics_put(out, "souk_index_identifiers_bytes", "gauge", "Index: identifiers.",
                     c.memory.identifiers);
    souk_metrics_put(out, "souk_runs_memory_bytes", "gauge",
                     "Repeats and timelines not yet in files.", c.runs_memory_bytes);
    souk_metrics_put(out, "souk_runs_file_bytes", "gauge", "Repeats and timelines in files.",
                     c.runs_file_bytes);
    souk_metrics_put(out, "souk_ledger_groups_total", "counter", "Transactions.", c.ledger.groups);
    souk_metrics_put(out, "souk_ledger_refused_total", "counter",
                     "Closures that ended in an error.", c.ledger.refused_jobs);
    souk_metrics_put(out, "souk_ledger_busy_total", "counter", "Refused by a full queue.",
                     c.ledger.busy);
    souk_metrics_put(out, "souk_ledger_failed", "gauge",
                     "1 once a commit failed: restart the server.", c.ledger.failed != SOUK_OK);
    souk_metrics_put(out, "souk_ledger_full", "gauge",
                     "1 while the disk is full: writes are refused.", c.ledger.full);
    souk_metrics_put(out, "souk_ledger_wal_bytes", "gauge", "Write-ahead log.", c.ledger.wal_bytes);
    put_us(out, "souk_commit_p50_seconds", "Commit with its sync, median.", c.ledger.commit_p50_us);
    put_us(out, "souk_commit_p99_seconds", "Commit with its sync, 99 %.", c.ledger.commit_p99_us);
    put_us(out, "souk_slice_max_seconds", "Longest work before a commit.", c.ledger.slice_max_us);
}

void souk_metrics_write_http(const souk_http *http, souk_buf *out)
{
    souk_http_counts c;
    souk_http_count(http, &c);
    souk_metrics_put(out, "souk_http_connections", "gauge", "Open.", c.connections_now);
    souk_metrics_put(out, "souk_http_streams", "gauge", "Answers that go on.", c.streams_now);
    souk_metrics_put(out, "souk_http_requests_total", "counter", "Handed to a route.", c.requests);
    souk_metrics_put(out, "souk_http_sent_bytes_total", "counter", "Answers.", c.bytes_out);
    souk_metrics_put(out, "souk_http_received_bytes_total", "counter", "Requests.", c.bytes_in);
    souk_metrics_put(out, "souk_http_slow_readers_total", "counter",
                     "Cut because they did not take their answer.", c.slow_readers);
    souk_metrics_put(out, "souk_http_wakes_total", "counter",
                     "Times a loop was woken by another thread.", c.wakes);
}
