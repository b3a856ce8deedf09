using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace AssetGen.Editor
{
    /// <summary>One run of the program `assetgen` beside the editor. Its pipes are read by threads; ask it from one.</summary>
    internal sealed class CommandLine
    {
        private static readonly Regex Progressed = new Regex("^progress: (.+) ([0-9]+)/([0-9]+)$");

        private readonly Process process;
        private readonly ConcurrentQueue<string> errors = new ConcurrentQueue<string>();
        private readonly StringBuilder output = new StringBuilder();
        private readonly StringBuilder messages = new StringBuilder();

        /// <summary>Starts it.</summary>
        /// <exception cref="InvalidOperationException">It can't be started; the message says what to do.</exception>
        public CommandLine(string program, IEnumerable<string> arguments)
        {
            var start = new ProcessStartInfo(program, string.Join(" ", arguments.Select(Quote).ToArray()))
            {
                UseShellExecute = false,
                CreateNoWindow = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = Encoding.UTF8,
                StandardErrorEncoding = Encoding.UTF8,
            };
            start.EnvironmentVariables["ASSETGEN_PROGRESS"] = "lines"; // instead of a bar, which is for terminals
            start.EnvironmentVariables["PYTHONIOENCODING"] = "utf-8";
            process = new Process { StartInfo = start };
            process.OutputDataReceived += (sender, line) => Append(line.Data);
            process.ErrorDataReceived += (sender, line) => errors.Enqueue(line.Data ?? "");
            try
            {
                process.Start();
            }
            catch (Win32Exception error)
            {
                throw new InvalidOperationException(
                    "\"" + program + "\" can't be started (" + error.Message + "). Install it with "
                    + "`pipx install \"assetgen[cpu]\"`, or name its full path below.", error);
            }
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        /// <summary>What it is doing: "drawing candidates".</summary>
        public string Step { get; private set; } = "";

        /// <summary>How much of the step is done, 0 to 1.</summary>
        public float Part { get; private set; }

        public int ExitCode
        {
            get { return process.ExitCode; }
        }

        /// <summary>All that it has written on its standard output.</summary>
        public string Output
        {
            get
            {
                lock (output)
                {
                    return output.ToString();
                }
            }
        }

        /// <summary>All that it has said to people.</summary>
        public string Messages
        {
            get { return messages.ToString().Trim(); }
        }

        /// <summary>Takes in what has arrived; true once the program has ended and all is read.</summary>
        public bool Update()
        {
            var ended = process.HasExited;
            if (ended)
            {
                process.WaitForExit(); // until the pipes are read, too
            }
            string line;
            while (errors.TryDequeue(out line))
            {
                var found = Progressed.Match(line);
                if (found.Success)
                {
                    var of = double.Parse(found.Groups[3].Value, CultureInfo.InvariantCulture);
                    Step = found.Groups[1].Value;
                    Part = of > 0 ? (float)(double.Parse(found.Groups[2].Value, CultureInfo.InvariantCulture) / of) : 0;
                }
                else
                {
                    messages.AppendLine(line);
                }
            }
            return ended;
        }

        /// <summary>Ends it now. That is safe: assetgen publishes all or nothing, and the next run begins anew.</summary>
        public void Stop()
        {
            try
            {
                process.Kill();
            }
            catch (Exception error) when (error is InvalidOperationException || error is Win32Exception)
            {
                // it has ended by itself; which exception says so depends on Mono
            }
        }

        private void Append(string line)
        {
            lock (output)
            {
                output.AppendLine(line ?? "");
            }
        }

        /// <summary>An argument as both Windows' and Mono's splitting take it: quotes and backslashes before them escaped.</summary>
        public static string Quote(string argument)
        {
            var escaped = Regex.Replace(argument, "(\\\\*)\"", "$1$1\\\"");
            return "\"" + Regex.Replace(escaped, "(\\\\+)$", "$1$1") + "\"";
        }
    }
}
