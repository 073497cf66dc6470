# Everything a person needs, from a fresh clone. `make help` lists it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
SAMPLE := services/capture/sample/sample.mp4
MPNET ?= .work/all-mpnet-base-v2
FACERES ?= .work/human-models
PACKAGES ?= .work/packages
DATA ?= ../shared/data
AREA ?=
MINUTES ?= 60

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@echo "Mien: what is said, how it is said and how the face moves, as one mood from 1 to 5."
	@echo
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F':.*?## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Mien needs Python 3.11: install it, or name it with make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: deploy/requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Mien runs on (once) …"
	$(PIP) --require-hashes -r $<
	$(PIP) --no-build-isolation --editable .
	@$(BIN)/python -c 'from shared.runtime.compiled import compile_librosa; compile_librosa()'
	@touch $@

$(VENV)/.dev: deploy/requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Mien is trained, tested and measured with (once) …"
	$(PIP) --require-hashes -r $<
	$(PIP) --no-build-isolation --editable .
	@$(BIN)/python -c 'from shared.runtime.compiled import compile_librosa; compile_librosa()'
	@touch $@

.PHONY: install
install: $(VENV)/.run ## Install Mien into .venv, without TensorFlow

.PHONY: demo
demo: $(VENV)/.run ## Analyse the sample recording and show its mood
	$(BIN)/mien analyze $(SAMPLE)

.PHONY: servers
servers:
	@sh deploy/install-servers.sh

.PHONY: test
test: $(VENV)/.dev servers ## Run every test, two files at a time, against private RabbitMQ and Redis
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

.PHONY: test-locks
test-locks: ## Install each service's own lock alone and import the service, as its image does
	@for service in capture text audio face fusion; do \
		folder=$$(mktemp -d) && $(PYTHON) -m venv $$folder && echo "$$service …" && \
		$$folder/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
			-r deploy/requirements/$$service.txt && \
		$$folder/bin/python -c "import services.$$service.$$([ $$service = capture ] && echo agent || echo worker)" && \
		rm -rf $$folder || exit 1; \
	done; echo "Each service runs on its own lock."

.PHONY: faults
faults: $(VENV)/.dev servers ## Break everything in every way, several times over (a quarter of an hour), and print how long each took to recover
	MIEN_FAULTS=long $(BIN)/python -m pytest tests/faults $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev servers ## Run the whole system for MINUTES (60) and print its memory and file handles
	$(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

.PHONY: audit
audit: $(VENV)/.dev ## Check the locked dependencies for known flaws
	@deploy/requirements/audit.sh

.PHONY: check
check: $(VENV)/.dev ## Lint, check types and hold the architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: scoreboard
scoreboard: export TF_CPP_MIN_LOG_LEVEL = 2
scoreboard: $(VENV)/.dev ## Measure accuracy on DATA (AREA=text|audio|face|fusion for one) beside peers and people
	$(BIN)/python -m benchmarks.scoreboard --data $(DATA) $(if $(AREA),--area $(AREA))

.PHONY: bench
bench: $(VENV)/.dev ## Measure speed and memory (AREA=… for one)
	$(BIN)/python -m benchmarks.bench --data $(DATA) $(if $(AREA),--area $(AREA))

.PHONY: train
train: TEXT = $(BIN)/python -m services.text.training.train --data $(DATA) --packages $(PACKAGES) --max-length 64
train: STUDENT = $(TEXT) --start .work/text/first/epoch-02.weights.h5 --lessons .work/text/lessons.npz --seed 31 \
	--train-embeddings --spoken-share 0.35 --misheard-share 0.04
train: REFINED = $(TEXT) --lessons .work/text/lessons-served.npz --batch-tokens 2304 --train-embeddings \
	--spoken-share 0.5 --misheard-share 0.05
train: $(VENV)/.dev ## Train the three models from DATA as they ship (seven hours; the model cards name what MPNET, PACKAGES, FACERES hold)
	$(TEXT) --checkpoints .work/text/first --epochs 3 --until 2 --seed 7 \
		--passes emobank=3,sst5=1,sst5_phrases=0.6,posts=1,goemotions=1,isear=1
	$(TEXT) --checkpoints .work/text/teacher --epochs 2 --until 2 --mpnet $(MPNET) --seed 21 --rate 0.00004 \
		--spoken-share 0 --passes emobank=1,sst5=0.75,posts=0.5,goemotions=0.375,isear=0.15,sst5_phrases=0.03
	$(BIN)/python -m services.text.training.teach --data $(DATA) --packages $(PACKAGES) --mpnet $(MPNET) \
		--checkpoint .work/text/teacher/epoch-02.weights.h5 --out .work/text/lessons.npz
	$(STUDENT) --checkpoints .work/text/student --epochs 2 --until 2 --rate 0.00008 \
		--passes emobank=1.8,sst5=1.2,sst5_phrases=0.1,posts=0.4,goemotions=0.5,isear=0.15,generated=0.5
	$(STUDENT) --checkpoints .work/text/student-long --epochs 3 --until 3 --rate 0.0001 \
		--passes emobank=2,sst5=1,sst5_phrases=0.1,posts=0.5,goemotions=0.5,isear=0.15,generated=0.6,snippets=1,brown=1
	$(TEXT) --seed 31 --version 5 --weights .work/text/v5 --average .work/text/student/epoch-02.weights.h5 .work/text/student-long/epoch-03.weights.h5
	$(BIN)/python -m services.text.training.teach --data $(DATA) --packages $(PACKAGES) --served .work/text/v5 \
		--brown 60000 --out .work/text/lessons-served.npz
	$(REFINED) --checkpoints .work/text/refined --start .work/text/v5/text.tflite.gz --share 0.5 --seed 61 \
		--epochs 2 --until 1 --rate 0.00006 --kernel-levels 12 --word-levels 36 \
		--passes emobank=1.5,sst5=1,sst5_phrases=0.1,posts=0.5,goemotions=0.8,isear=0.2,generated=1,snippets=1,brown=0.35
	$(REFINED) --checkpoints .work/text/again --share 0.7 --seed 62 --epochs 1 --until 1 --rate 0.00004 \
		--start .work/text/v5/text.tflite.gz .work/text/refined/epoch-01.weights.h5 --kernel-levels 11 --word-levels 34 \
		--passes emobank=1.5,sst5=1,sst5_phrases=0.1,posts=0.5,goemotions=0.8,isear=0.2,generated=0.8,snippets=1,brown=0.35
	$(TEXT) --average .work/text/v5/text.tflite.gz .work/text/refined/epoch-01.weights.h5 .work/text/again/epoch-01.weights.h5 \
		--kernel-levels 15 --word-levels 42 --seed 62
	$(BIN)/python -m services.audio.training.train --data $(DATA)
	$(BIN)/python -m services.face.training.train --data $(DATA) --faceres $(FACERES)

.PHONY: lock
lock: ## Write the hashed locks again from pyproject.toml (needs uv)
	deploy/requirements/lock.sh

.PHONY: clean
clean: ## Remove the environment and what tools left behind
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
