# Everything a person or a machine does with this project. Each target prepares what it needs, from Python alone.

PYTHON ?= python3
ARGS ?=
ENV ?=
BIN := .venv/bin
PREPARE := @$(PYTHON) local/prepare.py
SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .tools/sam/bin/sam
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--custom-compile-command "make lock"
LAYER := layers/common/python
RUNS := $(LAYER)/payfirst functions
CHECKS := .tools/checks/bin
SEMGREP := PATH="$(CURDIR)/$(CHECKS):$$PATH" SEMGREP_SETTINGS_FILE=.tools/checks/semgrep.yaml SEMGREP_LOG_FILE=.tools/checks/semgrep.log \
	semgrep scan --config checks/rules.yaml --metrics off --disable-version-check --no-git-ignore --error --quiet
SBOM := sbom.json
SEVERAL := -n auto --dist loadfile --no-loadscope-reorder
LONG := tests/e2e tests/replay

.DEFAULT_GOAL := help
.PHONY: help run run-deployed update-deployed deploy-local deploy smoke destroy simulate kill-storm invoke reset test test-long test-quick \
	restore-drill faults hot-spots after-outage soak check bench bench-quick sbom validate openapi lock clean \
	tools-venv tools-aws tools-sam tools-newman tools-phonepe-sdk tools-clients tools-clients-ts tools-checks tools-checkov \
	tools-bench tools-browser tools-lighthouse tools-site browser-test pictures page-costs lighthouse site

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: tools-venv tools-aws ## Run the whole service here: API, sweeps, embedded AWS, simulated gateways
	@$(BIN)/python -m local.run $(ARGS)

run-deployed: tools-venv tools-aws tools-sam ## The same as a stack that SAM has deployed to the embedded AWS
	@$(BIN)/python -m local.run_deployed $(ARGS)

update-deployed: tools-venv tools-aws tools-sam ## Build and deploy again onto the running `make run-deployed`
	@$(BIN)/python -m local.run_deployed --update $(ARGS)

deploy-local: tools-venv tools-aws tools-sam tools-newman tools-browser ## From nothing: deploy the template to an embedded AWS, run the documents and a visitor of each shop on it; ARGS=tests/contract runs all
	$(BIN)/python -m pytest --deployed --durations=5 tests/e2e/test_deployed_form.py tests/contract/test_document_*.py \
		tests/contract/test_postman.py tests/integration/front_end/test_poll_the_api.py \
		tests/browser/test_produce.py::test_tomatoes_are_paid_with_the_mouse \
		tests/browser/test_pujas.py::test_a_puja_is_paid_with_the_mouse $(ARGS)

deploy: tools-venv tools-sam ## Deploy to your AWS account: ENV=dev or ENV=prod; asks before anything changes
	@$(BIN)/python -m ops.rollout deploy "$(ENV)" $(ARGS)

smoke: tools-venv ## Say what is true of the stack of ENV, in one table; ARGS=--json prints JSON; changes nothing that stays
	@$(BIN)/python -m ops.smoke "$(ENV)" $(ARGS)

destroy: tools-venv ## Take the stack of ENV away; ARGS=--data deletes the table and the customers too
	@$(BIN)/python -m ops.rollout destroy "$(ENV)" $(ARGS)

simulate: tools-venv ## Storm the running `make run` with payments, then compare both ledgers; ARGS="--seconds 60" is short
	@$(BIN)/python -m tests.proofs.storm $(ARGS)

invoke: tools-venv tools-sam ## Run one function in a container: make invoke FN=webhook; needs Docker and the running `make run`
	@$(BIN)/python -m local.invoke $(FN) $(ARGS)

kill-storm: tools-venv tools-aws ## Kill workers under load, in a stack of its own, then compare both ledgers; ARGS="--seconds 30" is short
	@$(BIN)/python -m tests.proofs.kill_storm $(ARGS)

reset: tools-venv ## Forget everything that was booked, paid and deployed here
	@$(BIN)/python -m local.run --reset
	@$(BIN)/python -m local.run_deployed --reset

TOOLS := tools-venv tools-aws tools-sam tools-newman tools-phonepe-sdk tools-clients tools-clients-ts tools-checks tools-checkov tools-browser tools-site

test: $(TOOLS) ## Run the tests, all but those of `make faults` and `make test-long`; ARGS="tests/unit -k money" runs some of them
	$(BIN)/python -m pytest $(SEVERAL) -m "not short_form" $(LONG:%=--ignore %) $(ARGS)

test-long: $(TOOLS) ## Deployments, storms, killed workers, a lost table, containers, and two engines about each write: six minutes
	$(BIN)/python -m pytest $(SEVERAL) $(LONG) $(ARGS)

test-quick: tools-venv tools-aws ## What tells most in a minute: the unit tests, and both documents over HTTP
	$(BIN)/python -m pytest $(SEVERAL) -n 2 -p no:schemathesis tests/unit tests/contract/test_document_a.py tests/contract/test_document_b.py $(ARGS)

browser-test: tools-venv tools-aws tools-browser ## Walk through every page in a browser; ARGS="--pictures .local/pictures" keeps how they looked
	$(BIN)/python -m pytest $(SEVERAL) --all-pages tests/browser $(ARGS)

pictures: tools-venv tools-aws tools-browser ## Take the README's pictures of the running pages, and weigh each page
	@$(BIN)/python -m tests.browser.pictures

page-costs: tools-venv tools-aws tools-browser ## Count what opening each page asks of functions and of the table
	@$(BIN)/python -m tests.browser.costs

lighthouse: tools-venv tools-aws tools-browser tools-lighthouse ## Ask Lighthouse about the shop, a checkout and the desk; fails below 95 of 100
	@$(BIN)/python -m tests.browser.lighthouse

site: tools-venv tools-site ## Make a site of the documentation in .local/site, for any host or none
	@$(BIN)/python -m checks.site

restore-drill: tools-venv tools-aws ## Lose the table of a shop that was doing business, bring it back, compare the books; a minute
	@$(BIN)/python -m tests.proofs.restore_drill $(ARGS)

faults: tools-venv tools-aws ## Faults at every call, races in many orders, guards that are missing: a few minutes
	$(BIN)/python -m tests.faults short

hot-spots: tools-venv ## Crowds at one listing, slot and promo code, on a model of DynamoDB's time and conflicts; three minutes
	@$(BIN)/python -m tests.proofs.hot_spots $(ARGS)

after-outage: tools-venv ## How long an hour without gateways takes to make up for, on the same model; ten minutes
	@$(BIN)/python -m tests.proofs.after_outage $(ARGS)

soak: tools-venv tools-aws ## The same for long; ARGS="--minutes 240 --seed 7"
	$(BIN)/python -m tests.faults soak $(ARGS)

check: tools-venv tools-sam tools-checks ## Check style, types, imports, the template and the API's description
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m checks.aws
	$(BIN)/payfirst openapi --check
	$(BIN)/payfirst events --check
	$(BIN)/python -m checks.pages --check
	$(CHECKS)/bandit --quiet --recursive --skip B105 $(RUNS) # B105 takes a domain for a password; ruff looks for those
	$(SEMGREP) $(RUNS)
	$(CHECKS)/pip-licenses --python $(BIN)/python --summary --allow-only "$$(grep -v '^#' checks/licences.txt | paste -s -d ';')"

bench: tools-venv tools-aws tools-bench ## Measure the service beside its peers, write docs/performance.md; needs PostgreSQL
	$(BIN)/python -m benchmarks.bench $(ARGS)

bench-quick: tools-venv tools-aws ## Modules, instructions, requests and units against benchmarks/budget.json; ARGS=--write rewrites it
	$(BIN)/python -m benchmarks.quick $(ARGS)

sbom: tools-checks ## Write the bill of materials of what runs in AWS, from its lock, as CycloneDX to sbom.json
	$(CHECKS)/cyclonedx-py requirements $(LAYER)/requirements.txt --pyproject pyproject.toml --output-reproducible -o $(SBOM)

validate: tools-venv tools-sam ## Check the templates alone
	$(BIN)/python -m checks.aws

openapi: tools-venv ## Write the API's description, the events' schemas and what pages say of the code anew
	$(BIN)/payfirst openapi
	$(BIN)/payfirst events
	$(BIN)/python -m checks.pages

lock: tools-venv tools-newman ## Lock all dependencies with hashes; ARGS=--upgrade takes newer versions
	$(LOCK) $(ARGS) $(LAYER)/requirements.in -o $(LAYER)/requirements.txt
	$(LOCK) $(ARGS) -c $(LAYER)/requirements.txt locks/dev.in -o locks/dev.txt
	$(LOCK) $(ARGS) locks/aws.in -o locks/aws.txt
	$(LOCK) $(ARGS) locks/sam.in -o locks/sam.txt
	$(LOCK) $(ARGS) locks/phonepe-sdk.in -o locks/phonepe-sdk.txt
	$(LOCK) $(ARGS) locks/clients.in -o locks/clients.txt
	$(LOCK) $(ARGS) locks/checks.in -o locks/checks.txt
	$(LOCK) $(ARGS) locks/checkov.in -o locks/checkov.txt
	$(LOCK) $(ARGS) locks/bench.in -o locks/bench.txt
	$(LOCK) $(ARGS) locks/playwright.in -o locks/playwright.txt
	$(LOCK) $(ARGS) locks/site.in -o locks/site.txt
	$(LOCK) $(ARGS) locks/node.in -o locks/node.txt
	$(LOCK) $(ARGS) -c locks/dev.txt locks/uv.in -o locks/uv.txt
	for each in newman clients-ts browser lighthouse mermaid; do PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm --prefix locks/$$each install --package-lock-only \
		--omit-lockfile-registry-resolved=true --no-audit --no-fund || exit; done

clean: ## Remove what can be made again: builds and caches, not what was booked here
	rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find functions layers local ops benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

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

tools-clients:
	$(PREPARE) clients

tools-clients-ts:
	$(PREPARE) clients-ts

tools-checks:
	$(PREPARE) checks

tools-bench:
	$(PREPARE) bench

tools-checkov:
	$(PREPARE) checkov

tools-browser:
	$(PREPARE) playwright browser

tools-lighthouse:
	$(PREPARE) lighthouse

tools-site:
	$(PREPARE) site mermaid
