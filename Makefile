# Everything a person or a machine does with this project. Each target prepares what it needs, from Python alone.

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
PREPARE := @$(PYTHON) local/prepare.py
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .tools/sam/bin/sam
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock"
LAYER := layers/common/python

.DEFAULT_GOAL := help
.PHONY: help run run-deployed deploy-local simulate reset test faults soak check validate openapi lock clean \
	tools-venv tools-aws tools-sam tools-newman tools-phonepe-sdk

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: tools-venv tools-aws ## Run the whole service here: API, sweeps, embedded AWS, simulated gateways
	@$(BIN)/python -m local.run $(ARGS)

run-deployed: tools-venv tools-aws tools-sam ## The same as a stack that SAM has deployed to the embedded AWS
	@$(BIN)/python -m local.run_deployed $(ARGS)

deploy-local: tools-venv tools-aws tools-sam ## Build and deploy again onto the running `make run-deployed`
	@$(BIN)/python -m local.run_deployed --update $(ARGS)

simulate: tools-venv ## Storm the running `make run` with payments, then compare both ledgers; ARGS="--seconds 60" is short
	@$(BIN)/python -m local.storm $(ARGS)

reset: tools-venv ## Forget everything that was booked, paid and deployed here
	@$(BIN)/python -m local.run --reset
	@$(BIN)/python -m local.run_deployed --reset

test: tools-venv tools-aws tools-sam tools-newman tools-phonepe-sdk ## Run all tests; ARGS="tests/unit -k money" runs some of them
	$(BIN)/python -m pytest $(ARGS)

faults: tools-venv tools-aws ## Faults at every call, races in many orders, guards that are missing: a few minutes
	$(BIN)/python -m tests.faults short

soak: tools-venv tools-aws ## The same for long; ARGS="--minutes 240 --seed 7"
	$(BIN)/python -m tests.faults soak $(ARGS)

check: tools-venv tools-sam ## Check style, types, imports, the template and the API's description
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SAM) validate --lint
	$(BIN)/payfirst openapi --check
	$(BIN)/payfirst events --check

validate: tools-sam ## Check the template alone
	$(SAM) validate --lint

openapi: tools-venv ## Write the API's description and the events' schemas anew from the code
	$(BIN)/payfirst openapi
	$(BIN)/payfirst events

lock: tools-venv tools-newman ## Lock all dependencies with hashes; ARGS=--upgrade takes newer versions
	$(LOCK) $(ARGS) $(LAYER)/requirements.in -o $(LAYER)/requirements.txt
	$(LOCK) $(ARGS) -c $(LAYER)/requirements.txt locks/dev.in -o locks/dev.txt
	$(LOCK) $(ARGS) locks/aws.in -o locks/aws.txt
	$(LOCK) $(ARGS) locks/sam.in -o locks/sam.txt
	$(LOCK) $(ARGS) locks/phonepe-sdk.in -o locks/phonepe-sdk.txt
	$(LOCK) $(ARGS) locks/node.in -o locks/node.txt
	$(LOCK) $(ARGS) -c locks/dev.txt locks/uv.in -o locks/uv.txt
	PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix locks/newman install --package-lock-only \
		--omit-lockfile-registry-resolved=true --no-audit --no-fund

clean: ## Remove what can be made again: builds and caches, not what was booked here
	rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find functions layers local ops tests -name __pycache__ -type d -prune -exec rm -rf {} +

tools-venv:
	$(PREPARE) venv

tools-aws:
	$(PREPARE) aws

tools-sam:
	$(PREPARE) sam

tools-newman:
	$(PREPARE) newman

tools-phonepe-sdk:
	$(PREPARE) phonepe-sdk
