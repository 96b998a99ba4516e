# Builds a static binary and leaves nothing else in the image but CA
# certificates. Time zones are compiled into the binary.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags="-s -w" -o /out/bot ./cmd/bot \
 && mkdir -p /out/state && chmod 0700 /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/bot /bot
COPY --from=build --chown=65532:65532 /out/state /var/lib/dhbot
USER 65532:65532
VOLUME /var/lib/dhbot
ENTRYPOINT ["/bot"]
CMD ["run", "--config", "/etc/dhbot/config.yaml"]
