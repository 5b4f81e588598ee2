# `make` alone lists the commands. Everything real is in .make/, in JavaScript that Node runs without anything installed.
.DEFAULT_GOAL := help
.PHONY: help setup build start add-host dev test check services services-stop bench eval proto docs package clean

PORT ?= 8080
GRPC_PORT ?= 4320
DATA ?= data

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

start: ## set up, build, run hub and one agent here, print the address (PORT=8080 GRPC_PORT=4320 DATA=data)
	@node .make/start.mjs --port "$(PORT)" --grpc-port "$(GRPC_PORT)" --data "$(DATA)"

add-host: ## put an agent onto another machine over ssh and enrol it with the hub here (HOST=web-1 DATA=data)
	@[ -n "$(HOST)" ] || { echo 'make add-host: say which machine: make add-host HOST=web-1, or HOST=root@web-1; DATA=data where make start had another one' >&2; exit 2; }
	@node .make/build.mjs && installers/ssh/add-host "$(HOST)" --data "$(DATA)/hub"

test: ## set up what it needs and run everything
	@node .make/test.mjs

check: ## types, lint, layers, shapes, generated code and documents; under a minute
	@node .make/check.mjs

services: ## start every real server that tests use and print the addresses
	@node .make/services.mjs start

services-stop: ## end the servers that make services started
	@node .make/services.mjs stop

dev: ## hub, agent and page from source, restarting on change
	@node .make/dev.mjs --port "$(PORT)" --grpc-port "$(GRPC_PORT)" --data "$(DATA)"

build: ## leave dist/outrider-hub and dist/outrider-agent
	@node .make/setup.mjs && node .make/build.mjs

setup: ## install packages if the lockfile changed
	@node .make/setup.mjs

bench: ## print the figures of the hot paths
	@node .make/build.mjs && node .make/bench.mjs

eval: ## judge the models on public data, beside the records (DATA=folder with nab, …)
	@node .make/setup.mjs && node node_modules/tsx/dist/cli.mjs test/eval/main.ts "$(DATA)"

proto: ## generate code from proto/
	@node .make/setup.mjs && cd proto && ../node_modules/.bin/buf generate

docs: ## generate settings tables, collector pages, the API client and the pictures of the page
	@node .make/build.mjs && node .make/docs.mjs

package: ## make what people install: executables, .deb, .rpm and install.sh, into dist/package
	@node .make/package.mjs

clean: ## remove what was built
	@[ ! -d .cache/services/developer ] || node .make/services.mjs stop
	@rm -rf dist coverage .cache
