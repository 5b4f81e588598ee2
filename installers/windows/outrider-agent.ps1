<#
.SYNOPSIS
Installs the Outrider agent as a task that starts with Windows, or removes it.

.DESCRIPTION
Run as administrator in a built checkout; it takes Node 20.19 or newer. The join token is read from OUTRIDER_JOIN_TOKEN or asked for; it is never an argument.
The agent runs as LOCAL SERVICE, with rights to its own folder and nothing else, and is started again when it ends.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File installers\windows\outrider-agent.ps1 -Install

.EXAMPLE
powershell -ExecutionPolicy Bypass -File installers\windows\outrider-agent.ps1 -Uninstall
#>
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    [Parameter(ParameterSetName = 'Install')][switch]$Install,
    [Parameter(ParameterSetName = 'Uninstall', Mandatory = $true)][switch]$Uninstall
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Name = 'Outrider agent'
$Programs = Join-Path $env:ProgramFiles 'Outrider'
$Data = Join-Path $env:ProgramData 'Outrider\agent'

$identity = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'This makes a task that starts with Windows: run it as administrator.'
}

function Stop-Agent {
    if (Get-ScheduledTask -TaskName $Name -ErrorAction SilentlyContinue) {
        Stop-ScheduledTask -TaskName $Name
        Unregister-ScheduledTask -TaskName $Name -Confirm:$false
    }
}

if ($Uninstall) {
    Stop-Agent
    foreach ($folder in $Programs, $Data) {
        if (Test-Path $folder) { Remove-Item -Recurse -Force $folder }
    }
    Write-Output 'The agent is gone, with its settings and everything that it kept.'
    return
}

$node = (Get-Command node -ErrorAction SilentlyContinue).Source
if (-not $node) { throw 'There is no node in the PATH: install Node 20.19 or newer.' }
$checkout = Split-Path (Split-Path $PSScriptRoot)
if (-not (Test-Path (Join-Path $checkout 'dist\agent\main.js'))) { throw 'The agent is not built here: run node .make/build.mjs first.' }

Stop-Agent
New-Item -ItemType Directory -Force $Programs, $Data | Out-Null
Copy-Item -Force -Recurse (Join-Path $checkout 'dist\outrider-agent'), (Join-Path $checkout 'dist\agent') $Programs
# Only administrators, the system and the agent may read what the agent keeps: by their SIDs, which have the same names everywhere.
& icacls $Data /inheritance:r /grant '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '*S-1-5-19:(OI)(CI)M' | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The rights of $Data could not be set." }

$program = Join-Path $Programs 'outrider-agent'
if (-not (Test-Path (Join-Path $Data 'identity\agent.json'))) {
    & $node $program enroll --data $Data
    if ($LASTEXITCODE -ne 0) { throw 'The agent could not join the hub; above is why.' }
}

$action = New-ScheduledTaskAction -Execute $node -Argument "`"$program`" run --quiet --data `"$Data`""
$trigger = New-ScheduledTaskTrigger -AtStartup
$principal = New-ScheduledTaskPrincipal -UserId 'NT AUTHORITY\LOCAL SERVICE' -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit ([TimeSpan]::Zero) -Priority 8 -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
Register-ScheduledTask -TaskName $Name -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force | Out-Null
Start-ScheduledTask -TaskName $Name
Write-Output "The agent runs as the task '$Name'; its log is in $Data\log."
