# Set-up and the course's commands; `make help` lists them.

# An interpreter for a new environment; by default the first one that runs and is new enough.
PYTHON ?=
VENV ?= .venv
COLAB_VENV ?= .venv-colab
ARGS ?=
SITE ?= book/_build/html
PORT ?= 8000

# what the tests and the notebooks start shares the machine: waiting threads must not spin
export OMP_WAIT_POLICY = PASSIVE

.DEFAULT_GOAL := help
.PHONY: help lab test test-colab test-grading book book-serve setup mutation

help:
	@echo 'make lab           set up what the notebooks need and open JupyterLab on the first lesson'
	@echo 'make test          set up everything and run the tests'
	@echo 'make book          set up everything and build the site'
	@echo 'make book-serve    show the built site on this machine: http://127.0.0.1:8000'
	@echo 'make test-colab    set up what Colab has, install the course there from git, run each lesson'
	@echo 'make mutation      plant every slip in the mathematics and see which proof notices it'
	@echo 'make test-grading  attack the grader, and plant slips in what the exercises ask for'
	@echo 'make setup         set up everything and stop there'
	@echo
	@echo 'ARGS=...           options of the command: make lab ARGS=--no-browser, make test ARGS="-k maths"'
	@echo 'PYTHON=...         the Python to set up with (3.11, 3.12 or 3.13)'
	@echo 'VENV=...           where the environment lives (default: .venv)'
	@echo 'COLAB_VENV=...     where the packages of Colab live (default: .venv-colab)'
	@echo 'SITE=... PORT=...  what make book-serve shows, and where'

lab:
	$(call set_up,lab)
	@"$(VENV)/bin/python" -m genimg_course.cli lab $(ARGS)

test:
	$(call set_up,dev)
	@"$(VENV)/bin/python" -m pytest $(ARGS)

test-colab:
	$(call set_up,dev)
	@"$(VENV)/bin/python" tests/colab/image.py "$(COLAB_VENV)"
	@COLAB_VENV="$(COLAB_VENV)" "$(VENV)/bin/python" -m pytest tests/colab/check_lessons.py $(ARGS)

test-grading:
	$(call set_up,dev)
	@"$(VENV)/bin/python" tests/diagnosis/run.py
	@"$(VENV)/bin/python" -m pytest tests/attacks/check_corpus.py $(ARGS)

book:
	$(call set_up,dev)
	@"$(VENV)/bin/python" book/build.py $(ARGS)

book-serve:
	@test -f "$(SITE)/index.html" || { \
		echo "There is no site in $(SITE) yet: make book builds it, make book-serve shows it." >&2; \
		exit 1; \
	}
	@python=`command -v "$(VENV)/bin/python" || command -v python3` && \
		echo "The book: http://127.0.0.1:$(PORT) (Ctrl-C ends it)" && \
		exec "$$python" -m http.server --bind 127.0.0.1 --directory "$(SITE)" "$(PORT)"

setup:
	$(call set_up,dev)

mutation:
	$(call set_up,dev)
	@"$(VENV)/bin/python" tests/mutation/run.py $(ARGS)

# The environment's own Python comes first, so that a finished set-up costs nothing. A name in PATH
# may be a shim that does not run, so each candidate is asked for its version.
define set_up
@chosen=; seen=; \
for python in $(if $(PYTHON),"$(PYTHON)","$(VENV)/bin/python" python3.13 python3.12 python3.11 python3 python); do \
	version=`"$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null` || continue; \
	case "$$version" in \
		3.11|3.12|3.13) chosen=$$python; break;; \
		?*) seen="$$seen $$python is $$version;";; \
	esac; \
done; \
if [ -z "$$chosen" ]; then \
	echo "Python 3.11, 3.12 or 3.13 is needed and none was found:$${seen:- $(if $(PYTHON),$(PYTHON) does not run,no Python runs here);}" \
		"install one from https://www.python.org/downloads or name yours with PYTHON=/path/to/python." >&2; \
	exit 1; \
fi; \
"$$chosen" -I genimg_course/environment.py --venv "$(VENV)" --extra $(1)
endef
