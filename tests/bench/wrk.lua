-- What wrk counted, as one line of JSON on stdout behind its own report.
done = function(summary, latency, requests)
    local failed = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "bytes": %d, "seconds": %f, "slowest": %f, "failed": %d}\n',
        summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(99) / 1e6,
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
