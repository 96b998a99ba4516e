# The image contains a static binary and CA certificates, and nothing else. Time zones are
# compiled in.
#
#   docker build -t dhbot .
#   docker run --read-only --tmpfs /tmp -v dhbot-state:/var/lib/dhbot -v dhbot-key:/var/lib/dhbot-key -v ./etc:/etc/dhbot:ro dhbot
#
# Any image with Go 1.26 and CA certificates works as the build image.
ARG GO_IMAGE=golang:1.26-bookworm

FROM ${GO_IMAGE} AS build
ARG VERSION=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata \
      -ldflags="-s -w -X dhbot/internal/buildinfo.Release=${VERSION}" -o /out/bot ./cmd/bot \
 && install -d -m 0755 /out/root/var/lib && install -d -m 1777 /out/root/tmp \
 && install -d -m 0700 /out/state/dhbot /out/state/dhbot-key \
 && install -m 0755 /out/bot /out/root/bot

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Copying the parent keeps the modes of the directories in it.
COPY --from=build /out/root/ /
COPY --from=build --chown=65532:65532 /out/state/ /var/lib/
ENV DHBOT_CONFIG=/etc/dhbot/config.yaml
USER 65532:65532
# Two volumes: the state, and the key that signs the state.
VOLUME /var/lib/dhbot /var/lib/dhbot-key
# Checks liveness, not readiness, because a restart does not repair Slack.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/bot", "health", "--live"]
ENTRYPOINT ["/bot"]
CMD ["run"]
