// The three kinds of controls of the fault panel. Each has a description: visible where there is space, and always
// available to screen readers.

import { useId } from "react";

interface ButtonProps {
  label: string;
  description: string;
  onClick(): void;
}

export function FaultButton({ label, description, onClick }: ButtonProps) {
  const id = useId();
  return (
    <div className="fault">
      <button type="button" className="button" aria-describedby={id} onClick={onClick}>
        {label}
      </button>
      <p id={id}>{description}</p>
    </div>
  );
}

interface SwitchProps {
  label: string;
  description: string;
  on: boolean;
  onChange(on: boolean): void;
}

export function FaultSwitch({ label, description, on, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="fault">
      <button
        type="button"
        role="switch"
        className="switch"
        aria-checked={on}
        aria-describedby={id}
        onClick={() => onChange(!on)}
      >
        <span className="switch-track" aria-hidden="true" />
        {label}
      </button>
      <p id={id}>{description}</p>
    </div>
  );
}

interface SliderProps {
  label: string;
  description: string;
  value: number;
  max: number;
  step: number;
  /** The value as text. */
  text: string;
  onChange(value: number): void;
}

/** Zero, at the left end, means no fault. */
export function FaultSlider({ label, description, value, max, step, text, onChange }: SliderProps) {
  const id = useId();
  return (
    <div className="fault slider" data-on={value > 0}>
      <label htmlFor={id}>{label}</label>
      <output htmlFor={id}>{text}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={max}
        step={step}
        value={value}
        aria-valuetext={text}
        aria-describedby={`${id}description`}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
      <p id={`${id}description`}>{description}</p>
    </div>
  );
}
