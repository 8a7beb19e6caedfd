# nimbusd and nimbusctl on Debian 12.
#   docker build -t nimbus .
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/setup scripts/setup
COPY scripts/lib/common.sh scripts/lib/common.sh
RUN scripts/setup --build
COPY . .
RUN cmake --preset release && cmake --build --preset release && \
    cmake --install build/release --prefix /usr --strip && \
    # The shared libraries that the programs really need, as Debian packages.
    ldd /usr/bin/nimbusd /usr/bin/nimbusctl | awk '$3 ~ /^\// {print $3}' | sort -u | \
    xargs -n1 readlink -f | xargs -n1 dpkg-query --search | cut -d: -f1 | sort -u > /packages

FROM debian:bookworm-slim
COPY --from=build /packages /tmp/packages
RUN apt-get update && \
    xargs apt-get install -y --no-install-recommends ca-certificates git openssh-client < /tmp/packages && \
    rm -rf /var/lib/apt/lists/* /tmp/packages && \
    useradd --system --uid 10640 --home-dir /var/lib/nimbus --create-home --shell /usr/sbin/nologin nimbus
COPY --from=build /usr/bin/nimbusd /usr/bin/nimbusctl /usr/bin/
USER nimbus
VOLUME /var/lib/nimbus
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/nimbusd"]
CMD ["--config", "/etc/nimbus/nimbusd.toml"]
LABEL org.opencontainers.image.title="Nimbus" \
      org.opencontainers.image.description="Bare-metal controller driven by a Git registry" \
      org.opencontainers.image.licenses="Apache-2.0"
