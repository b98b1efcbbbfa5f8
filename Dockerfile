# Herald's two static programs, and nothing else. `make image` builds them first; no base image is
# pulled, and the build needs no network.
FROM scratch
ARG VERSION=devel
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Herald" \
      org.opencontainers.image.description="Addresses for Services of type LoadBalancer on bare metal" \
      org.opencontainers.image.source="https://github.com/heraldlb/herald" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY LICENSE /licenses/LICENSE
COPY bin/herald bin/herald-announcer /
# No USER: a manifest of kube-vip's names none either, and its capabilities count for root alone. Herald's own
# manifests name one for each container, and root for the announcer's only, or where a file of the host is root's.
ENTRYPOINT ["/herald"]
