# Two stages: build the wheel, then install only the wheel. The README says what of this has been tried.
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY adapters adapters
COPY fhir_profiles fhir_profiles
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /wheel

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/gateway gateway && install -d -o gateway -m 0700 /var/lib/gateway/data
COPY --from=build /wheel/*.whl /tmp/
RUN pip install --no-cache-dir "$(echo /tmp/*.whl)[postgres,redis]" && rm /tmp/*.whl
USER gateway
ENV GATEWAY_DATA=/var/lib/gateway/data
VOLUME /var/lib/gateway
EXPOSE 8080 2575
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=2)"]
ENTRYPOINT ["gateway"]
CMD ["serve"]
