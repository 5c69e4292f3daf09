#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

# In the place of devstack's functions, as far as the plugin calls them. Those
# that work on files, run plugins or retry do what devstack's do; the others
# tell what they were asked, one line each, in the file $CALLS.

function told {
    echo "$*" >> "$CALLS"
}

# Plugins, in the order of local.conf: the folders in $PLUGINS.

function load_plugin_settings {
    local plugin
    for plugin in $PLUGINS; do
        source "$plugin/devstack/settings"
    done
}

# Every plugin in every phase, all in one shell.
function run_phase {
    local mode=$1 phase=${2:-}
    local plugin
    for plugin in $PLUGINS; do
        source "$plugin/devstack/plugin.sh" $mode $phase
    done
}

# What the plugin's phases call, and tests look for.

function define_plugin {
    told define_plugin "$@"
}

function plugin_requires {
    told plugin_requires "$@"
}

function echo_summary {
    :
}

function setup_develop {
    told setup_develop "$@"
}

function pip_uninstall {
    told pip_uninstall "$@"
}

function restart_service {
    told restart_service "$@"
}

function async_wait {
    told async_wait "$@"
}

function get_python_exec_prefix {
    echo "$BIN"
}

function conductor_conf {
    echo "$ETC/nova/nova_cell$1.conf"
}

function sudo {
    "$@"
}

function test_with_retry {
    local command=$1 message=$2 timeout=$3
    if ! timeout "$timeout" sh -c "while ! $command; do sleep 0.1; done"; then
        die $LINENO "$message"
    fi
}

function die {
    local line=$1
    shift
    echo "line $line: $*" >&2
    exit 1
}

function is_service_enabled {
    local service
    for service in "$@"; do
        if [[ " $SERVICES " == *" $service "* ]]; then
            return 0
        fi
    done
    return 1
}

function trueorfalse {
    local default=$1 name=$2
    echo "${!name:-$default}"
}

# Files of options. A file is read whole, and written whole; all in the shell,
# as the plugin sets dozens of options.

# ini_read FILE - Set the array $lines, and for each of them the section that
# it is in, and the name and the value if it sets an option.
function ini_read {
    local pattern='^[[:blank:]]*([^=[:blank:]]+)[[:blank:]]*=[[:blank:]]*(.*)$'
    local line inside=''
    sections=() names=() values=()
    mapfile -t lines < "$1"
    for line in "${lines[@]}"; do
        if [[ "$line" == "["* ]]; then
            inside=$line
            names+=('') values+=('')
        elif [[ "$line" =~ $pattern ]]; then
            names+=("${BASH_REMATCH[1]}") values+=("${BASH_REMATCH[2]}")
        else
            names+=('') values+=('')
        fi
        sections+=("$inside")
    done
}

# ini_edit FILE SECTION OPTION HOW [VALUE ...] - Change an option: "each" gives
# every line of it the value, "all" puts lines with the values, in their order,
# in the place of all of it.
function ini_edit {
    local file=$1 section=$2 option=$3 how=$4
    shift 4
    local -a lines sections names values
    local i value text=''
    ini_read "$file"
    for i in "${!lines[@]}"; do
        if [[ "${sections[i]}" == "[$section]" && "${names[i]}" == "$option" ]]; then
            if [[ "$how" == "each" ]]; then
                text+="$option = $*"$'\n'
            fi
            continue
        fi
        text+="${lines[i]}"$'\n'
        if [[ "${lines[i]}" == "[$section]" && "$how" == "all" ]]; then
            for value in "$@"; do
                text+="$option = $value"$'\n'
            done
        fi
    done
    printf '%s' "$text" > "$file"
}

function ini_section {
    local file=$1 section=$2
    local -a lines sections names values
    touch "$file"
    ini_read "$file"
    if [[ " ${sections[*]} " != *" [$section] "* ]]; then
        printf '\n[%s]\n' "$section" >> "$file"
    fi
}

function iniget_multiline {
    local file=$1 section=$2 option=$3
    local -a lines sections names values
    local i found=''
    ini_read "$file"
    for i in "${!lines[@]}"; do
        if [[ "${sections[i]}" == "[$section]" && "${names[i]}" == "$option" ]]; then
            found+=" ${values[i]}"
        fi
    done
    echo "${found# }"
}

function iniget {
    iniget_multiline "$@"
}

function iniset {
    if [[ "$1" == "-sudo" ]]; then
        shift
    fi
    ini_section "$1" "$2"
    if [[ -n "$(iniget "$1" "$2" "$3")" ]]; then
        ini_edit "$1" "$2" "$3" each "$4"
    else
        ini_edit "$1" "$2" "$3" all "$4"
    fi
}

function iniset_multiline {
    ini_section "$1" "$2"
    ini_edit "$1" "$2" "$3" all "${@:4}"
}

function iniadd {
    local old
    old=$(iniget_multiline "$1" "$2" "$3")
    # Each value is a word.
    iniset_multiline "$1" "$2" "$3" $old "${@:4}"
}

function inidelete {
    ini_edit "$1" "$2" "$3" all
}
