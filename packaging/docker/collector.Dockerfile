# The collector. From a folder of products (pnpm products):
#   docker build -f packaging/docker/collector.Dockerfile -t sluice dist/products
# docker run -p 127.0.0.1:7514:7514 -v sluice:/var/lib/sluice sluice
FROM debian:bookworm-slim

RUN groupadd --system --gid 7514 sluice \
 && useradd --system --uid 7514 --gid sluice --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sluice \
 && install --directory --owner=sluice --group=sluice --mode=0700 /var/lib/sluice \
 && install --directory --mode=0755 /etc/sluice

ARG TARGETARCH=amd64
# The executables are named as Node.js names platforms: amd64 is x64 there.
COPY sluice-linux-* /tmp/
RUN install --mode=0755 "/tmp/sluice-linux-$(echo "$TARGETARCH" | sed s/amd64/x64/)" /usr/bin/sluice \
 && rm /tmp/sluice-linux-*
# What the collector offers to hosts that `sluice enroll new` lets in.
COPY sluice-agent.cjs sluice-agent-linux-* /usr/share/sluice/agent/

USER sluice
ENV STATE_DIRECTORY=/var/lib/sluice CONFIGURATION_DIRECTORY=/etc/sluice MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
VOLUME /var/lib/sluice
EXPOSE 7514
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["sluice", "jobs", "--token-file", "/var/lib/sluice/tokens/query.token"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sluice"]
# A container's port is reached from outside of it: end TLS in front, or in collector.yaml.
CMD ["serve", "--listen", "0.0.0.0:7514", "--insecure-plaintext"]
