# The agent, for the logs of the host that its containers run on. From a folder of products (pnpm products):
#   docker build -f packaging/docker/agent.Dockerfile -t sluice-agent dist/products
# docker run --hostname "$(hostname)" -v /var/log:/var/log:ro -v /etc/sluice:/etc/sluice:ro \
#   -v sluice-agent:/var/lib/sluice-agent --group-add "$(getent group adm | cut -d: -f3)" sluice-agent
# A journald source needs journalctl, which this image leaves out: read the journal on the host.
FROM debian:bookworm-slim

RUN groupadd --system --gid 7515 sluice-agent \
 && useradd --system --uid 7515 --gid sluice-agent --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sluice-agent \
 && install --directory --owner=sluice-agent --group=sluice-agent --mode=0700 /var/lib/sluice-agent

ARG TARGETARCH=amd64
# The executables are named as Node.js names platforms: amd64 is x64 there.
COPY sluice-agent-linux-* /tmp/
RUN install --mode=0755 "/tmp/sluice-agent-linux-$(echo "$TARGETARCH" | sed s/amd64/x64/)" /usr/bin/sluice-agent \
 && rm /tmp/sluice-agent-linux-*

USER sluice-agent
ENV STATE_DIRECTORY=/var/lib/sluice-agent CONFIGURATION_DIRECTORY=/etc/sluice MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=32768
VOLUME /var/lib/sluice-agent
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["sluice-agent", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sluice-agent"]
CMD ["run"]
