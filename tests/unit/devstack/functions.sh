#!/usr/bin/env bash
#
# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

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

# ini_split LINE - Set $name and $value; $name is empty if it sets no option.
function ini_split {
    local pattern='^[[:blank:]]*([^=[:blank:]]+)[[:blank:]]*=[[:blank:]]*(.*)$'
    name='' value=''
    if [[ "$1" =~ $pattern ]]; then
        name=${BASH_REMATCH[1]}
        value=${BASH_REMATCH[2]}
    fi
}

# ini_edit FILE SECTION OPTION HOW [VALUE ...] - Change an option: "each" gives
# every line of it the value, "all" puts lines with the values, in their order,
# in the place of all of it.
function ini_edit {
    local file=$1 section=$2 option=$3 how=$4
    shift 4
    local line name value each inside='' text=''
    local -a lines
    mapfile -t lines < "$file"
    for line in "${lines[@]}"; do
        ini_split "$line"
        if [[ "$line" == "["* ]]; then
            inside=$line
        elif [[ "$inside" == "[$section]" && "$name" == "$option" ]]; then
            if [[ "$how" == "each" ]]; then
                text+="$option = $*"$'\n'
            fi
            continue
        fi
        text+="$line"$'\n'
        if [[ "$line" == "[$section]" && "$how" == "all" ]]; then
            for each in "$@"; do
                text+="$option = $each"$'\n'
            done
        fi
    done
    printf '%s' "$text" > "$file"
}

function ini_section {
    local file=$1 section=$2 line
    local -a lines=()
    if [[ -e "$file" ]]; then
        mapfile -t lines < "$file"
    fi
    for line in "${lines[@]}"; do
        if [[ "$line" == "[$section]" ]]; then
            return
        fi
    done
    printf '\n[%s]\n' "$section" >> "$file"
}

function iniget_multiline {
    local file=$1 section=$2 option=$3
    local line name value inside='' found=''
    local -a lines
    mapfile -t lines < "$file"
    for line in "${lines[@]}"; do
        ini_split "$line"
        if [[ "$line" == "["* ]]; then
            inside=$line
        elif [[ "$inside" == "[$section]" && "$name" == "$option" ]]; then
            found+=" $value"
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
